// The FileSystem without a database: what handles answer, also when they outlive a name or the
// FileSystem itself.

#include <gtest/gtest.h>
#include <rocksdb/file_system.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/aligned_memory.h"
#include "tests/support/database.h"
#include "tests/support/file_surface.h"
#include "tests/support/log_options.h"
#include "tests/support/test_env.h"
#include "tests/support/twin.h"
#include "tests/support/workload.h"

namespace bloom_lfs::test {
namespace {

using rocksdb::DirFsyncOptions;
using rocksdb::FileOptions;
using rocksdb::FSRandomAccessFile;
using rocksdb::FSReadRequest;
using rocksdb::FSWritableFile;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

constexpr size_t kMiB = 1 << 20;

class ClosedHandleTwinTest : public testing::TestWithParam<FileKind> {
 protected:
  static void Expect(const std::function<void(Surface&)>& scenario) {
    ExpectTwins([&](TwinSide& side) {
      Surface surface(&side, GetParam());
      scenario(surface);
    });
  }
};
class LiveHandleTwinTest : public ClosedHandleTwinTest {};

const auto kKindName = [](const auto& param_info) { return param_info.param.name; };
INSTANTIATE_TEST_SUITE_P(All, ClosedHandleTwinTest, testing::Values(kLog, kBlob, kDirectBlob),
                         kKindName);
INSTANTIATE_TEST_SUITE_P(All, LiveHandleTwinTest, testing::Values(kLog, kBlob), kKindName);

void Say(Surface& surface, const std::string& call, const IOStatus& status) {
  surface.side().Say(call, CodeOf(status));
}

// --- writing ---

// In the order in which RocksDB's file writer calls them.
TEST_P(LiveHandleTwinTest, EveryCallOfAWriter) {
  Expect([](Surface& surface) {
    SurfaceWriter writer = surface.Create(surface.Name(1));
    FSWritableFile* const file = writer.handle();
    file->SetIOPriority(rocksdb::Env::IO_HIGH);
    file->SetWriteLifeTimeHint(rocksdb::Env::WLTH_SHORT);
    file->SetPreallocationBlockSize(kMiB);
    for (const size_t size : {size_t{1}, size_t{5000}, 3 * kMiB, size_t{100}}) {
      file->PrepareWrite(file->GetFileSize(IOOptions(), nullptr), size, IOOptions(), nullptr);
      writer.Append(MakeValue(size, size));
      writer.Flush();
      writer.SaySize();
      surface.SayBytes(surface.Name(1));
    }
    Say(surface, "allocate", file->Allocate(4 * kMiB, kMiB, IOOptions(), nullptr));
    surface.SaySize(surface.Name(1));  // behind the end, and not counted
    Say(surface, "range sync", file->RangeSync(0, 2 * kMiB, IOOptions(), nullptr));
    Say(surface, "range sync to the end", file->RangeSync(2 * kMiB, 0, IOOptions(), nullptr));
    Say(surface, "invalidate", file->InvalidateCache(0, 0));
    surface.side().Say("sync beside appends", file->IsSyncThreadSafe() ? "yes" : "no");
    Say(surface, "truncate to its size",
        file->Truncate(file->GetFileSize(IOOptions(), nullptr), IOOptions(), nullptr));
    writer.Append("behind all that");
    writer.Sync();
    writer.Fsync();
    writer.Sync();  // again, with nothing new
    surface.SayBytes(surface.Name(1));
    writer.Close();
    surface.SayBytes(surface.Name(1));
  });
}

TEST_P(LiveHandleTwinTest, ChecksumsComeWithTheBytes) {
  Expect([](Surface& surface) {
    SurfaceWriter writer = surface.Create(surface.Name(1));
    const std::string bytes = MakeValue(1, 70000);
    const std::string crc("\x01\x02\x03\x04", 4);  // nobody below RocksDB looks at it
    rocksdb::DataVerificationInfo info;
    info.checksum = crc;
    Say(surface, "append", writer.handle()->Append(bytes, IOOptions(), info, nullptr));
    writer.SaySize();
    surface.SayBytes(surface.Name(1));
    writer.Close();
  });
}

TEST_P(ClosedHandleTwinTest, AppendAndSyncAfterCloseFail) {
  Expect([](Surface& surface) {
    SurfaceWriter writer = surface.Create(surface.Name(1));
    writer.Append(MakeValue(1, 10000));
    writer.Close();
    Say(surface, "sync", writer.handle()->Sync(IOOptions(), nullptr));
    writer.Append("too late");
    surface.SayBytes(surface.Name(1));
  });
}

// Some error paths of RocksDB leave closing to the destructor.
TEST_P(LiveHandleTwinTest, DestroyedWithoutClose) {
  Expect([](Surface& surface) {
    {
      SurfaceWriter writer = surface.Create(surface.Name(1));
      writer.Append(MakeValue(1, 300000));
      writer.Sync();
      writer.Append(MakeValue(2, 5000));
    }
    surface.SayBytes(surface.Name(1));
  });
}

TEST_P(ClosedHandleTwinTest, AHandleOutlivesTheFileSystem) {
  Expect([](Surface& surface) {
    const std::string name = surface.Name(1);
    std::unique_ptr<FSWritableFile> file;
    std::unique_ptr<FSRandomAccessFile> reader;
    {
      const TestEnv other(surface.side().with());
      const std::shared_ptr<rocksdb::FileSystem> fs = other->GetFileSystem();
      Require(fs->NewWritableFile(surface.Path(name), OptionsFor(name, *fs, surface.WriteOptions()),
                                  &file, nullptr));
      Require(other->GetFileSystem()->NewRandomAccessFile(surface.Path(name), FileOptions(),
                                                          &reader, nullptr));
    }
    SurfaceWriter writer(&surface.side(), name, std::move(file));
    writer.Append(MakeValue(1, 9 * kMiB));
    writer.Sync();
    writer.Close();
    surface.SayRange("reader from before", reader.get(), 0, 10 * kMiB);
    surface.SayBytes(name);
  });
}

// --- reading ---

TEST_P(LiveHandleTwinTest, AReaderFollowsTheWriter) {
  Expect([](Surface& surface) {
    const std::string name = surface.Name(1);
    SurfaceWriter writer = surface.Create(name);
    const auto sequential = surface.OpenToRead(name);
    const auto random = surface.OpenRandom(name);
    uint64_t end = 0;
    for (uint64_t i = 0; i < 40; ++i) {
      surface.SayRest("nothing yet", sequential.get());
      const std::string bytes = MakeValue(i, 1 + (i * 37129) % 500000);
      writer.Append(bytes);
      if (i % 10 == 9) writer.Sync();
      surface.SayRest("what is new", sequential.get());
      surface.SayRange("across the old end", random.get(), end > 100 ? end - 100 : 0, 200);
      end += bytes.size();
      surface.SayRange("across the end", random.get(), end - 1, 10);
      surface.SayRange("behind the end", random.get(), end + 1000, 10);
    }
    writer.Close();
    surface.SayRange("after close", random.get(), 0, end + 10);
    Say(surface, "skip", sequential->Skip(1000));
    surface.SayRest("behind the end", sequential.get());
  });
}

TEST_P(ClosedHandleTwinTest, SkippingAndReadingInPieces) {
  Expect([](Surface& surface) {
    surface.Make(surface.Name(1), 1, 100001);
    const auto file = surface.OpenToRead(surface.Name(1));
    std::string scratch(40000, '\0');
    for (const size_t skip : {0, 1, 4096, 10000, 30000, 500000}) {
      Say(surface, "skip", file->Skip(skip));
      Slice piece;
      Say(surface, "read", file->Read(10001, IOOptions(), &piece, scratch.data(), nullptr));
      surface.side().Say("first byte", std::string(scratch, 0, std::min<size_t>(1, piece.size())));
      surface.side().Say("bytes", piece.size());
    }
    Say(surface, "invalidate", file->InvalidateCache(0, 0));
  });
}

// A read as a blob reader's: aligned if the handle wants it.
void SayAlignedRange(Surface& surface, FSRandomAccessFile* file, uint64_t offset, size_t length) {
  const lss::test::AlignedMemory scratch(length);
  Slice piece;
  const IOStatus status = file->Read(offset, length, IOOptions(), &piece, scratch.data(), nullptr);
  Say(surface, "read", status);
  surface.side().SayBytes("bytes at " + std::to_string(offset), piece.ToString());
}

TEST_P(ClosedHandleTwinTest, OpenedBufferedDirectAndMapped) {
  Expect([](Surface& surface) {
    surface.Make(surface.Name(1), 1, 100001);
    FileOptions direct;
    direct.use_direct_reads = true;
    FileOptions mapped;
    mapped.use_mmap_reads = true;
    for (const FileOptions& options : {FileOptions(), direct, mapped}) {
      const auto file = surface.OpenRandom(surface.Name(1), options);
      for (const uint64_t page : {0, 3, 23, 24}) {
        SayAlignedRange(surface, file.get(), page * 4096, 8192);
      }
      file->Hint(FSRandomAccessFile::kRandom);
      Say(surface, "invalidate", file->InvalidateCache(0, 0));
    }
  });
}

TEST_P(LiveHandleTwinTest, ManyRangesAtOnce) {
  Expect([](Surface& surface) {
    SurfaceWriter writer = surface.Create(surface.Name(1));
    writer.Append(MakeValue(1, 8 * kMiB));
    for (const bool live : {true, false}) {
      if (!live) writer.Close();
      const auto file = surface.OpenRandom(surface.Name(1));
      std::vector<std::string> scratch(12, std::string(20000, '\0'));
      std::vector<FSReadRequest> requests(scratch.size());
      for (size_t i = 0; i < requests.size(); ++i) {
        requests[i].offset = i * 762601;  // the last two: across the end, and behind it
        requests[i].len = 1 + i * 1500;
        requests[i].scratch = scratch[i].data();
      }
      Say(surface, "multi read",
          file->MultiRead(requests.data(), requests.size(), IOOptions(), nullptr));
      for (const FSReadRequest& request : requests) {
        Say(surface, "range", request.status);
        surface.side().SayBytes("at " + std::to_string(request.offset), request.result.ToString());
      }
    }
  });
}

// Stock supports it where it was built with io_uring. Who does must do it right.
TEST_P(LiveHandleTwinTest, AnAsynchronousReadIsRefusedOrRight) {
  Expect([](Surface& surface) {
    SurfaceWriter writer = surface.Create(surface.Name(1));
    const std::string bytes = MakeValue(1, 100000);
    writer.Append(bytes);
    const auto file = surface.OpenRandom(surface.Name(1));
    std::string scratch(5000, '\0');
    FSReadRequest request;
    request.offset = 70001;
    request.len = scratch.size();
    request.scratch = scratch.data();
    std::string got;
    void* handle = nullptr;
    rocksdb::IOHandleDeleter deleter;
    const IOStatus status = file->ReadAsync(
        request, IOOptions(),
        [&got](auto& done, void*) {
          Require(done.status);
          got = done.result.ToString();
        },
        nullptr, &handle, &deleter, nullptr);
    if (status.ok() && handle != nullptr) {
      std::vector<void*> handles = {handle};
      Require(surface.fs()->Poll(handles, 1));
      deleter(handle);
    }
    surface.side().Say("refused or right",
                       status.IsNotSupported() || got == bytes.substr(70001, 5000) ? "yes" : got);
    writer.Close();
  });
}

// --- other handles ---

TEST_P(LiveHandleTwinTest, OpenedToReadAndWriteAnywhere) {
  Expect([](Surface& surface) {
    SurfaceWriter writer = surface.Create(surface.Name(1));
    writer.Append(MakeValue(1, 50000));
    for (const bool live : {true, false}) {
      if (!live) writer.Close();
      std::unique_ptr<rocksdb::FSRandomRWFile> file;
      Say(surface, "open",
          surface.fs()->NewRandomRWFile(surface.Path(surface.Name(1)), FileOptions(), &file,
                                        nullptr));
      std::string scratch(60000, '\0');
      Slice piece;
      Say(surface, "read", file->Read(10, 60000, IOOptions(), &piece, scratch.data(), nullptr));
      surface.side().SayBytes("bytes", piece.ToString());
      if (!live) {
        Say(surface, "write", file->Write(40000, "overwritten", IOOptions(), nullptr));
        Say(surface, "write behind", file->Write(60000, "behind", IOOptions(), nullptr));
        Say(surface, "sync", file->Sync(IOOptions(), nullptr));
      }
      Say(surface, "close", file->Close(IOOptions(), nullptr));
    }
    surface.SayBytes(surface.Name(1));
  });
}

TEST_P(LiveHandleTwinTest, MappedIntoMemory) {
  Expect([](Surface& surface) {
    SurfaceWriter writer = surface.Create(surface.Name(1));
    writer.Append(MakeValue(1, 50000));
    for (const bool live : {true, false}) {
      if (!live) writer.Close();
      std::unique_ptr<rocksdb::MemoryMappedFileBuffer> buffer;
      Say(surface, "map",
          surface.fs()->NewMemoryMappedFileBuffer(surface.Path(surface.Name(1)), &buffer));
      if (buffer != nullptr) {
        surface.side().SayBytes(
            "bytes", std::string(static_cast<const char*>(buffer->GetBase()), buffer->GetLen()));
      }
    }
  });
}

TEST_P(LiveHandleTwinTest, TheDirectoryIsSyncedForEveryReason) {
  Expect([](Surface& surface) {
    SurfaceWriter writer = surface.Create(surface.Name(1));
    writer.Append("bytes");
    writer.Sync();
    std::unique_ptr<rocksdb::FSDirectory> directory;
    Say(surface, "open directory",
        surface.fs()->NewDirectory(surface.Path("."), IOOptions(), &directory, nullptr));
    Say(surface, "fsync", directory->Fsync(IOOptions(), nullptr));
    for (const auto reason : {DirFsyncOptions::kNewFileSynced, DirFsyncOptions::kDirRenamed,
                              DirFsyncOptions::kFileDeleted, DirFsyncOptions::kDefault}) {
      Say(surface, "fsync",
          directory->FsyncWithDirOptions(IOOptions(), nullptr, DirFsyncOptions(reason)));
    }
    surface.Rename(surface.Name(1), surface.Name(2));
    Say(surface, "fsync",
        directory->FsyncWithDirOptions(IOOptions(), nullptr,
                                       DirFsyncOptions(surface.Path(surface.Name(2)))));
    Say(surface, "close", directory->Close(IOOptions(), nullptr));
    writer.Close();
    std::unique_ptr<rocksdb::FSDirectory> missing;
    Say(surface, "open missing directory",
        surface.fs()->NewDirectory(surface.Path("no/such"), IOOptions(), &missing, nullptr));
  });
}

}  // namespace
}  // namespace bloom_lfs::test
