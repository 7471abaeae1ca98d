// Logs at the level of the FileSystem, where RocksDB and its tools do unexpected things to files
// that are being written. Each case runs on the stock FileSystem, too: that one is the contract.

#include <gtest/gtest.h>
#include <rocksdb/file_system.h>

#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/database.h"
#include "tests/support/files.h"
#include "tests/support/log_options.h"
#include "tests/support/temp_dir.h"
#include "tests/support/workload.h"

namespace bloom_lfs::test {
namespace {

using rocksdb::FileOptions;
using rocksdb::FSSequentialFile;
using rocksdb::FSWritableFile;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

constexpr size_t kMiB = 1 << 20;

class LiveFileTest : public testing::TestWithParam<With> {
 protected:
  LiveFileTest() : env_(GetParam()), fs_(env_->GetFileSystem()) {}

  std::unique_ptr<FSWritableFile> Create(const std::string& path) {
    std::unique_ptr<FSWritableFile> file;
    Require(fs_->NewWritableFile(path, test::LogOptions(*fs_), &file, nullptr));
    return file;
  }

  // As RocksDB does for every record: then it must be readable by everyone.
  static void Append(FSWritableFile* file, const std::string& bytes) {
    Require(file->Append(bytes, IOOptions(), nullptr));
    Require(file->Flush(IOOptions(), nullptr));
  }

  static void Close(std::unique_ptr<FSWritableFile> file) {
    Require(file->Close(IOOptions(), nullptr));
  }

  std::unique_ptr<FSSequentialFile> OpenForReading(const std::string& path) {
    std::unique_ptr<FSSequentialFile> file;
    Require(fs_->NewSequentialFile(path, FileOptions(), &file, nullptr));
    return file;
  }

  // Reads on from where the handle stands until a read returns less than it was asked for.
  static std::string ReadOn(FSSequentialFile* file) {
    std::string bytes;
    std::string scratch(32768, '\0');
    for (;;) {
      Slice piece;
      Require(file->Read(scratch.size(), IOOptions(), &piece, scratch.data(), nullptr));
      bytes.append(scratch, 0, piece.size());  // RocksDB takes it from scratch, too
      if (piece.size() < scratch.size()) return bytes;
    }
  }

  uint64_t Size(const std::string& path) {
    uint64_t size = 0;
    Require(fs_->GetFileSize(path, IOOptions(), &size, nullptr));
    return size;
  }

  std::string Contents(const std::string& path) { return ReadOn(OpenForReading(path).get()); }

  // Everything that tells a file's length or contents, at once.
  void ExpectBytes(const std::string& path, const std::string& bytes) {
    EXPECT_EQ(Size(path), bytes.size()) << path;
    EXPECT_TRUE(Contents(path) == bytes) << path;
    const std::string dir = path.substr(0, path.rfind('/'));
    std::vector<rocksdb::FileAttributes> attributes;
    Require(fs_->GetChildrenFileAttributes(dir, IOOptions(), &attributes, nullptr));
    for (const rocksdb::FileAttributes& entry : attributes) {
      if (dir + "/" + entry.name == path) {
        EXPECT_EQ(entry.size_bytes, bytes.size()) << path;
      }
      EXPECT_NE(entry.name, ".bloom_lfs");
    }
  }

  const TempDir dir_;
  const std::string log_ = dir_ / "000007.log";
  const TestEnv env_;
  const std::shared_ptr<rocksdb::FileSystem> fs_;
};

INSTANTIATE_TEST_SUITE_P(All, LiveFileTest, testing::Values(With::kStock, With::kPlugin),
                         [](const auto& param_info) { return Name(param_info.param); });

TEST_P(LiveFileTest, WhatIsAppendedIsReadableAtOnce) {
  auto file = Create(log_);
  std::string all;
  for (const size_t n : {size_t{1}, size_t{4095}, size_t{1}, 3 * kMiB, size_t{7}, 20 * kMiB}) {
    const std::string bytes = MakeValue(n, n);
    Append(file.get(), bytes);
    all += bytes;
    ExpectBytes(log_, all);
    if (n == 7) Require(file->Sync(IOOptions(), nullptr));
    EXPECT_EQ(file->GetFileSize(IOOptions(), nullptr), all.size());
  }
  Close(std::move(file));
  ExpectBytes(log_, all);
}

TEST_P(LiveFileTest, AHandleReadsOnBehindTheEndItHasSeen) {
  auto file = Create(log_);
  const auto reader = OpenForReading(log_);
  EXPECT_EQ(ReadOn(reader.get()), "");
  for (int i = 0; i < 30; ++i) {
    const std::string bytes = MakeValue(static_cast<uint64_t>(i), 100000);
    Append(file.get(), bytes);
    EXPECT_TRUE(ReadOn(reader.get()) == bytes) << i;
  }
  Close(std::move(file));
  EXPECT_EQ(ReadOn(reader.get()), "");
  Require(reader->Skip(1000));  // past the end: allowed
  EXPECT_EQ(ReadOn(reader.get()), "");
}

TEST_P(LiveFileTest, DeletedWhileWrittenAndRead) {
  auto file = Create(log_);
  Append(file.get(), "before ");
  const auto reader = OpenForReading(log_);
  Require(fs_->DeleteFile(log_, IOOptions(), nullptr));
  EXPECT_TRUE(fs_->FileExists(log_, IOOptions(), nullptr).IsNotFound());
  uint64_t size = 0;
  EXPECT_TRUE(fs_->GetFileSize(log_, IOOptions(), &size, nullptr).IsPathNotFound());
  Append(file.get(), "after");
  Require(file->Sync(IOOptions(), nullptr));
  EXPECT_EQ(ReadOn(reader.get()), "before after");
  Close(std::move(file));
  EXPECT_TRUE(fs_->FileExists(log_, IOOptions(), nullptr).IsNotFound()) << "it came back";
}

TEST_P(LiveFileTest, RenamedWhileWrittenAndRead) {
  Require(fs_->CreateDir(dir_ / "archive", IOOptions(), nullptr));
  const std::string archived = dir_ / "archive/000007.log";
  auto file = Create(log_);
  Append(file.get(), "before ");
  const auto reader = OpenForReading(log_);
  Require(fs_->RenameFile(log_, archived, IOOptions(), nullptr));
  Append(file.get(), "after");
  ExpectBytes(archived, "before after");
  EXPECT_EQ(ReadOn(reader.get()), "before after");
  EXPECT_TRUE(fs_->FileExists(log_, IOOptions(), nullptr).IsNotFound());
  // The name is free for another file, which is not this one.
  auto other = Create(log_);
  Append(other.get(), "other");
  ExpectBytes(log_, "other");
  Close(std::move(file));
  Close(std::move(other));
  ExpectBytes(archived, "before after");
  ExpectBytes(log_, "other");
}

TEST_P(LiveFileTest, LinkedWhileWritten) {
  const std::string link = dir_ / "000008.log";
  auto file = Create(log_);
  Append(file.get(), MakeValue(1, 100000));
  Require(fs_->LinkFile(log_, link, IOOptions(), nullptr));
  ExpectBytes(link, MakeValue(1, 100000));
  EXPECT_TRUE(ReadFile(link) == MakeValue(1, 100000)) << "a link is for others, too";
  Append(file.get(), "more");
  ExpectBytes(link, MakeValue(1, 100000) + "more");
  uint64_t links = 0;
  Require(fs_->NumFileLinks(log_, IOOptions(), &links, nullptr));
  EXPECT_EQ(links, 2u);
  bool same = false;
  Require(fs_->AreFilesSame(log_, link, IOOptions(), &same, nullptr));
  EXPECT_TRUE(same);
  Close(std::move(file));
  ExpectBytes(link, MakeValue(1, 100000) + "more");
}

TEST_P(LiveFileTest, TheDirectoryIsRenamedWhileWritten) {
  Require(fs_->CreateDir(dir_ / "X.tmp", IOOptions(), nullptr));
  auto file = Create(dir_ / "X.tmp/000007.log");
  Append(file.get(), "before ");
  Require(fs_->RenameFile(dir_ / "X.tmp", dir_ / "X", IOOptions(), nullptr));
  Append(file.get(), "after");
  ExpectBytes(dir_ / "X/000007.log", "before after");
  Close(std::move(file));
  ExpectBytes(dir_ / "X/000007.log", "before after");
  EXPECT_EQ(LogFiles(dir_.path()).size(), 1u);
}

TEST_P(LiveFileTest, ANewFileReplacesOneThatIsStillWritten) {
  auto old_one = Create(log_);
  Append(old_one.get(), "old old old");
  Require(fs_->RenameFile(log_, dir_ / "000006.log", IOOptions(), nullptr));
  auto new_one = Create(log_);
  Append(new_one.get(), "new");
  // A fault-injecting Env renames a file over another one.
  Require(fs_->RenameFile(log_, dir_ / "000006.log", IOOptions(), nullptr));
  ExpectBytes(dir_ / "000006.log", "new");
  Append(old_one.get(), "nobody will see this");
  Close(std::move(old_one));
  Close(std::move(new_one));
  ExpectBytes(dir_ / "000006.log", "new");
}

TEST_P(LiveFileTest, ManySpellingsOfOnePath) {
  auto file = Create(log_);
  Append(file.get(), "bytes");
  const std::string real_dir = dir_ / "sub";
  Require(fs_->CreateDir(real_dir, IOOptions(), nullptr));
  std::filesystem::create_directory_symlink(dir_.path(), dir_ / "alias");
  for (const char* name : {"/000007.log", "//000007.log", "/./000007.log", "/sub/../000007.log",
                           "/alias/000007.log"}) {
    EXPECT_EQ(Contents(dir_.path() + name), "bytes") << name;
    EXPECT_EQ(Size(dir_.path() + name), 5u) << name;
  }
  Close(std::move(file));
}

TEST_P(LiveFileTest, ReopenedAfterCloseAndTruncatedToItsSize) {
  auto file = Create(log_);
  Append(file.get(), MakeValue(1, 10000));
  Close(std::move(file));
  std::unique_ptr<FSWritableFile> again;  // what recovery does with the last log
  Require(fs_->ReopenWritableFile(log_, FileOptions(), &again, nullptr));
  Require(again->Truncate(10000, IOOptions(), nullptr));
  Close(std::move(again));
  ExpectBytes(log_, MakeValue(1, 10000));
}

TEST_P(LiveFileTest, SyncBesideAppends) {
  auto file = Create(log_);
  if (!file->IsSyncThreadSafe()) GTEST_FAIL() << "SyncWAL needs it";
  EXPECT_FALSE(file->use_direct_io()) << "RocksDB would pad its writes";
  std::atomic<bool> done{false};
  std::thread syncer([&] {
    while (!done) Require(file->Sync(IOOptions(), nullptr));
  });
  std::string all;
  for (int i = 0; i < 2000; ++i) {
    const std::string bytes = MakeValue(static_cast<uint64_t>(i), 1 + static_cast<size_t>(i));
    Append(file.get(), bytes);
    all += bytes;
  }
  done = true;
  syncer.join();
  ExpectBytes(log_, all);
  Close(std::move(file));
  ExpectBytes(log_, all);
}

// RocksDB destroys handles without closing them on some error paths.
TEST_P(LiveFileTest, DestroyedWithoutClose) {
  auto file = Create(log_);
  Append(file.get(), MakeValue(3, 300000));
  file.reset();
  ExpectBytes(log_, MakeValue(3, 300000));
}

TEST_P(LiveFileTest, HandlesOutliveTheFileSystem) {
  std::unique_ptr<FSWritableFile> file;
  std::unique_ptr<FSSequentialFile> reader;
  {
    const TestEnv other(GetParam());
    const std::shared_ptr<rocksdb::FileSystem> fs = other->GetFileSystem();
    Require(fs->NewWritableFile(log_, test::LogOptions(*fs), &file, nullptr));
    Append(file.get(), "before ");
    Require(other->GetFileSystem()->NewSequentialFile(log_, FileOptions(), &reader, nullptr));
  }
  Append(file.get(), "after");
  EXPECT_EQ(ReadOn(reader.get()), "before after");
  ExpectBytes(log_, "before after");
  Close(std::move(file));
}

TEST_P(LiveFileTest, ErrorsAreThoseOfRocksDb) {
  std::unique_ptr<FSWritableFile> file;
  std::unique_ptr<FSSequentialFile> reader;
  const std::string nowhere = dir_ / "no/such/000001.log";
  EXPECT_TRUE(fs_->NewWritableFile(nowhere, FileOptions(), &file, nullptr).IsPathNotFound());
  EXPECT_TRUE(fs_->NewSequentialFile(nowhere, FileOptions(), &reader, nullptr).IsPathNotFound());
  EXPECT_TRUE(fs_->DeleteFile(nowhere, IOOptions(), nullptr).IsPathNotFound());
  EXPECT_TRUE(fs_->FileExists(nowhere, IOOptions(), nullptr).IsNotFound());
  std::vector<std::string> names = {"stale"};
  EXPECT_TRUE(fs_->GetChildren(dir_ / "no", IOOptions(), &names, nullptr).IsNotFound());
  Require(fs_->CreateDir(dir_ / "000009.log", IOOptions(), nullptr));  // a directory of that name
  const IOStatus s = fs_->NewWritableFile(dir_ / "000009.log", FileOptions(), &file, nullptr);
  EXPECT_TRUE(s.IsIOError()) << s.ToString();
  EXPECT_NE(s.ToString().find("000009.log"), std::string::npos) << s.ToString();
}

}  // namespace
}  // namespace bloom_lfs::test
