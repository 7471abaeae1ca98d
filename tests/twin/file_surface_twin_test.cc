// The FileSystem without a database: names and sizes. What RocksDB, its tools and its Envs do to
// files, some of which are being written.

#include <gtest/gtest.h>
#include <rocksdb/file_system.h>

#include <memory>
#include <string>

#include "tests/support/file_surface.h"
#include "tests/support/twin.h"
#include "tests/support/workload.h"

namespace bloom_lfs::test {
namespace {

using rocksdb::FileOptions;
using rocksdb::IOOptions;

constexpr size_t kMiB = 1 << 20;

// For scenarios in which nobody looks at a file before it is closed.
class ClosedFileTwinTest : public testing::TestWithParam<FileKind> {
 protected:
  static void Expect(const std::function<void(Surface&)>& scenario) {
    ExpectTwins([&](TwinSide& side) {
      Surface surface(&side, GetParam());
      scenario(surface);
    });
  }
};
// For those in which somebody does. Direct writes pad a file until it is closed.
class LiveFileTwinTest : public ClosedFileTwinTest {};

const auto kKindName = [](const auto& param_info) { return param_info.param.name; };
INSTANTIATE_TEST_SUITE_P(All, ClosedFileTwinTest, testing::Values(kLog, kBlob, kDirectBlob),
                         kKindName);
INSTANTIATE_TEST_SUITE_P(All, LiveFileTwinTest, testing::Values(kLog, kBlob), kKindName);

// --- creating ---

TEST_P(ClosedFileTwinTest, CreatedWithRecordsOfEverySize) {
  Expect([](Surface& surface) {
    SurfaceWriter writer = surface.Create(surface.Name(1));
    for (const size_t size : {size_t{0}, size_t{30}, size_t{4066}, size_t{1}, size_t{4096},
                              3 * kMiB, size_t{7}, 20 * kMiB, size_t{32}}) {
      writer.Append(MakeValue(size, size));
      writer.Flush();
    }
    writer.Sync();
    writer.Close();
    surface.SayBytes(surface.Name(1));
    surface.SayList(".");
  });
}

TEST_P(ClosedFileTwinTest, CreatedOverAnExistingFile) {
  Expect([](Surface& surface) {
    const std::string name = surface.Name(1);
    surface.Make(name, 1, 100000);
    SurfaceWriter writer = surface.Create(name);
    surface.SaySize(name);  // the old bytes are gone at once
    writer.Append("short");
    writer.Close();
    surface.SayBytes(name);
    surface.Create(name).Close();  // and left empty
    surface.SayBytes(name);
  });
}

TEST_P(ClosedFileTwinTest, CreatedOverOneThatSomebodyHasOpen) {
  Expect([](Surface& surface) {
    const std::string name = surface.Name(1);
    SurfaceWriter old_writer = surface.Create(name);
    old_writer.Append(MakeValue(1, 50000));
    old_writer.Sync();
    SurfaceWriter writer = surface.Create(name);
    writer.Append("new");
    writer.Sync();
    writer.Close();
    surface.SayBytes(name);
  });
}

TEST_P(ClosedFileTwinTest, ReopenedToAppend) {
  Expect([](Surface& surface) {
    const std::string name = surface.Name(1);
    surface.Make(name, 1, 10000);
    for (const std::string& reopened : {name, surface.Name(2)}) {  // the second does not exist
      std::unique_ptr<rocksdb::FSWritableFile> file;
      surface.side().Say("reopen " + reopened,
                         CodeOf(surface.fs()->ReopenWritableFile(surface.Path(reopened),
                                                                 FileOptions(), &file, nullptr)));
      SurfaceWriter writer(&surface.side(), reopened, std::move(file));
      writer.SaySize();  // stock counts from zero here
      writer.Append("and more");
      writer.SaySize();
      writer.Sync();
      writer.Close();
      surface.SayBytes(reopened);
    }
  });
}

TEST_P(ClosedFileTwinTest, ReusedForLongerContents) {
  Expect([](Surface& surface) {
    surface.Make(surface.Name(1), 1, 10000);
    std::unique_ptr<rocksdb::FSWritableFile> file;
    const auto reuse = [&](int from, int to) {
      surface.side().Say(
          "reuse", CodeOf(surface.fs()->ReuseWritableFile(surface.Path(surface.Name(to)),
                                                          surface.Path(surface.Name(from)),
                                                          surface.WriteOptions(), &file, nullptr)));
    };
    reuse(1, 2);
    SurfaceWriter writer(&surface.side(), surface.Name(2), std::move(file));
    writer.Append(MakeValue(2, 20000));
    writer.Close();
    surface.SayExists(surface.Name(1));
    surface.SayBytes(surface.Name(2));
    reuse(1, 3);  // is not there any more
    surface.SayList(".");
  });
}

// --- renaming and linking ---

TEST_P(LiveFileTwinTest, RenamedWhileWritten) {
  Expect([](Surface& surface) {
    const std::string name = surface.Name(1);
    surface.CreateDir("archive");
    SurfaceWriter writer = surface.Create(name);
    writer.Append(MakeValue(1, 100000));
    const auto reader = surface.OpenToRead(name);
    surface.Rename(name, "archive/" + name);
    writer.Append(MakeValue(2, 9 * kMiB));
    writer.Flush();
    writer.SaySize();
    surface.SayBytes("archive/" + name);
    surface.SayRest("reader from before", reader.get());
    surface.SayExists(name);
    surface.SayList("archive");
    SurfaceWriter other = surface.Create(name);  // the name is free
    other.Append("other");
    surface.SayBytes(name);
    writer.Sync();
    writer.Close();
    other.Close();
    surface.SayBytes("archive/" + name);
    surface.Delete("archive/" + name);
    surface.SayList("archive");
  });
}

TEST_P(LiveFileTwinTest, RenamedOntoOthers) {
  Expect([](Surface& surface) {
    const std::string live = surface.Name(1);
    surface.Make(surface.Name(2), 2, 10000);
    SurfaceWriter writer = surface.Create(live);
    writer.Append(MakeValue(1, 5000));
    surface.Rename(live, surface.Name(2));  // live over closed
    surface.SayBytes(surface.Name(2));
    surface.Make(surface.Name(3), 3, 700);
    surface.Rename(surface.Name(3), surface.Name(2));  // closed over live
    writer.Append("nobody will see this");
    writer.Sync();
    surface.SayBytes(surface.Name(2));
    surface.SayList(".");
    writer.Close();
    surface.SayBytes(surface.Name(2));
    surface.Rename(surface.Name(2), "000004.dbtmp");  // into and out of other kinds
    surface.SayBytes("000004.dbtmp");
    surface.Rename("000004.dbtmp", surface.Name(5));
    surface.SayBytes(surface.Name(5));
    surface.Rename(surface.Name(8), surface.Name(9));    // missing
    surface.Rename(surface.Name(5), "no/such/" + live);  // nowhere
    surface.Rename("no/such/" + live, surface.Name(5));
  });
}

// Checkpoint writes to X.tmp and then calls it X.
TEST_P(LiveFileTwinTest, TheDirectoryIsRenamedWhileWritten) {
  Expect([](Surface& surface) {
    const std::string name = surface.Name(1);
    surface.CreateDir("X.tmp");
    SurfaceWriter writer = surface.Create("X.tmp/" + name);
    writer.Append(MakeValue(1, 10000));
    writer.Sync();
    surface.Rename("X.tmp", "X");
    writer.Append(MakeValue(2, 20000));
    surface.SayBytes("X/" + name);
    surface.SayList("X");
    SurfaceWriter other = surface.Create("X/" + surface.Name(2));
    other.Append("other");
    writer.Sync();
    writer.Close();
    other.Close();
    surface.SayList("X");
  });
}

TEST_P(LiveFileTwinTest, LinkedWhileWrittenAndAfterwards) {
  Expect([](Surface& surface) {
    const std::string name = surface.Name(1);
    SurfaceWriter writer = surface.Create(name);
    writer.Append(MakeValue(1, 300000));
    surface.SayLinks(name);
    surface.Link(name, surface.Name(2));
    surface.Link(name, surface.Name(2));  // is there already
    surface.Link(surface.Name(8), surface.Name(9));
    surface.Link(name, "linked.tmp");
    surface.SayLinks(name);
    surface.SaySame(name, surface.Name(2));
    writer.Append("more");
    surface.SayBytes(surface.Name(2));
    surface.Delete(name);
    writer.Append("and more");
    surface.SayBytes(surface.Name(2));
    surface.SayLinks(surface.Name(2));
    writer.Sync();
    writer.Close();
    surface.SayBytes(surface.Name(2));
    surface.SayBytes("linked.tmp");
    surface.Make(surface.Name(3), 3, 100);
    surface.SaySame(surface.Name(2), surface.Name(3));
    surface.SaySame(surface.Name(2), surface.Name(9));
    surface.SayLinks(surface.Name(9));
    surface.Link(surface.Name(3), surface.Name(4));  // closed
    surface.SaySame(surface.Name(3), surface.Name(4));
  });
}

// --- deleting ---

TEST_P(LiveFileTwinTest, DeletedWhileWrittenAndRead) {
  Expect([](Surface& surface) {
    const std::string name = surface.Name(1);
    SurfaceWriter writer = surface.Create(name);
    writer.Append(MakeValue(1, 200000));
    const auto sequential = surface.OpenToRead(name);
    const auto random = surface.OpenRandom(name);
    surface.Delete(name);
    surface.SayExists(name);
    surface.SaySize(name);
    surface.OpenToRead(name);
    surface.Delete(name);
    surface.SayList(".");
    writer.Append("after");
    writer.Sync();
    writer.Fsync();
    surface.SayRest("reader", sequential.get());
    surface.SayRange("reader's end", random.get(), 199999, 100);
    writer.SaySize();
    writer.Close();
    surface.SayRange("reader after close", random.get(), 0, 300000);
    surface.SayList(".");
  });
}

// The deletion scheduler: a new name, then shorter and shorter.
TEST_P(LiveFileTwinTest, DeletedInSteps) {
  Expect([](Surface& surface) {
    for (const bool live : {false, true}) {
      const std::string trash = surface.Name(1) + ".trash";
      SurfaceWriter writer = surface.Create(surface.Name(1));
      writer.Append(MakeValue(1, 3 * kMiB));
      writer.Sync();
      if (!live) writer.Close();
      surface.Rename(surface.Name(1), trash);
      surface.SaySize(trash);
      surface.SayLinks(trash);
      if (live) writer.Close();
      for (size_t size = 3 * kMiB - 500000; size > 500000; size -= 500000) {
        std::unique_ptr<rocksdb::FSWritableFile> file;
        surface.side().Say("reopen", CodeOf(surface.fs()->ReopenWritableFile(
                                         surface.Path(trash), FileOptions(), &file, nullptr)));
        surface.side().Say("truncate", CodeOf(file->Truncate(size, IOOptions(), nullptr)));
        surface.side().Say("fsync", CodeOf(file->Fsync(IOOptions(), nullptr)));
        surface.SayBytes(trash);
      }
      surface.SayList(".");
      surface.Delete(trash);
      surface.SaySize(trash);
    }
  });
}

// --- sizes and listings ---

// Stock's local FileSystem refuses it; handles are how files are cut.
TEST_P(ClosedFileTwinTest, TruncatedByPathOrByAHandle) {
  Expect([](Surface& surface) {
    const std::string name = surface.Name(1);
    surface.Make(name, 1, 30000);
    for (const size_t size : {30000, 20001, 4096, 0, 5000}) {
      surface.Truncate(name, size);
      surface.SayBytes(name);
      std::unique_ptr<rocksdb::FSWritableFile> file;
      surface.side().Say("reopen", CodeOf(surface.fs()->ReopenWritableFile(
                                       surface.Path(name), FileOptions(), &file, nullptr)));
      surface.side().Say("truncate", CodeOf(file->Truncate(size, IOOptions(), nullptr)));
      surface.side().Say("close", CodeOf(file->Close(IOOptions(), nullptr)));
      surface.SayBytes(name);
    }
    surface.Truncate(surface.Name(9), 0);
  });
}

TEST_P(LiveFileTwinTest, ListedWithExactSizes) {
  Expect([](Surface& surface) {
    surface.CreateDir("archive");
    surface.CreateDir("archive");
    surface.Make(surface.Name(1), 1, 10000);
    surface.Make("archive/" + surface.Name(1), 1, 3000);
    SurfaceWriter synced = surface.Create(surface.Name(2));
    synced.Append(MakeValue(2, 20001));
    synced.Sync();
    SurfaceWriter written = surface.Create(surface.Name(3));
    written.Append(MakeValue(3, 9 * kMiB + 1));
    const SurfaceWriter empty = surface.Create(surface.Name(4));
    surface.SayList(".");
    surface.SayList("archive");
    surface.SayList("no/such");
    synced.Close();
    written.Close();
    surface.SayList(".");
    uint64_t modified = 0;
    surface.side().Say("modification time",
                       CodeOf(surface.fs()->GetFileModificationTime(
                           surface.Path(surface.Name(3)), IOOptions(), &modified, nullptr)));
    surface.side().Say("is given", modified > 0 ? "yes" : "no");
  });
}

// Neither WALs nor blob files, however alike they look.
TEST_P(LiveFileTwinTest, LookAlikesAreOrdinaryFiles) {
  Expect([](Surface& surface) {
    surface.CreateDir("X.tmp");
    surface.CreateDir("private");
    for (const std::string& name :
         {std::string("LOG"), std::string("LOG.old.1"), std::string("log"), std::string(".log"),
          "+" + surface.Name(1), "a" + surface.Name(1), surface.Name(1) + ".",
          surface.Name(1) + "2", surface.Name(1) + ".trash", std::string("000001.LOG"),
          std::string("000001.log.blob"), "X.tmp/" + surface.Name(1),
          "private/" + surface.Name(1)}) {
      SurfaceWriter writer = surface.Create(name);
      writer.Append(MakeValue(1, 5000));
      surface.SayBytes(name);
      writer.Sync();
      writer.Close();
      surface.SayBytes(name);
    }
    surface.SayList(".");
    surface.SayList("X.tmp");
  });
}

// --- what is not there, or not a file ---

TEST_P(ClosedFileTwinTest, MissingFilesAndDirectoriesInsteadOfFiles) {
  Expect([](Surface& surface) {
    surface.CreateDir(surface.Name(9));
    surface.Make("file", 1, 100);
    for (const std::string& name :
         {surface.Name(1), "no/such/" + surface.Name(1), "file/" + surface.Name(1)}) {
      surface.SaySize(name);
      surface.SayExists(name);
      surface.OpenToRead(name);
      surface.OpenRandom(name);
      surface.Delete(name);
      surface.Truncate(name, 5);
      surface.SayLinks(name);
      uint64_t modified = 0;
      surface.side().Say("modification time",
                         CodeOf(surface.fs()->GetFileModificationTime(
                             surface.Path(name), IOOptions(), &modified, nullptr)));
      std::unique_ptr<rocksdb::FSRandomRWFile> file;
      surface.side().Say(
          "open to read and write",
          CodeOf(surface.fs()->NewRandomRWFile(surface.Path(name), FileOptions(), &file, nullptr)));
    }
    surface.TryCreate("no/such/" + surface.Name(1));
    surface.TryCreate("file/" + surface.Name(1));
    surface.TryCreate(surface.Name(9));
    surface.Delete(surface.Name(9));
    surface.Truncate(surface.Name(9), 5);
    surface.SayExists(surface.Name(9));
    const auto directory = surface.OpenToRead(surface.Name(9));
    if (directory != nullptr) surface.SayRest("read a directory", directory.get());
    surface.SayList(surface.Name(9));
    surface.side().Say(
        "delete directory",
        CodeOf(surface.fs()->DeleteDir(surface.Path(surface.Name(9)), IOOptions(), nullptr)));
  });
}

}  // namespace
}  // namespace bloom_lfs::test
