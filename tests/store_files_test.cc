// RocksDB's file handles over a store, as far as RocksDB relies on them.

#include "plugin/store_files.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <memory>
#include <string>

#include "plugin/default_runtime.h"
#include "tests/support/dead_log.h"
#include "tests/support/files.h"
#include "tests/support/temp_dir.h"

namespace bloom_lfs {
namespace {

using lss::DenseStream;
using lss::test::Exists;
using lss::test::Stream;
using rocksdb::FileOptions;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;
using test::ReadFile;
using test::TempDir;
using test::WriteFile;

class StoreFilesTest : public testing::Test {
 protected:
  std::unique_ptr<StoreWritableFile> Create() {
    lss::StoreOptions options;
    options.idle_flush_ms = 60000;
    // The maintenance thread would make a file longer that a test has cut.
    options.frontier_bytes = 0;
    StorePtr store;
    const lss::Status status = DenseStream::Open(bloom_lfs::DefaultRuntime(log_), log_, options,
                                                 DenseStream::OpenMode::kTruncate, &store);
    EXPECT_TRUE(status.ok()) << status.ToString();
    return std::make_unique<StoreWritableFile>(std::move(store), FileOptions(),
                                               DirectoryId::Of(dir_.path()));
  }
  std::unique_ptr<FileSource> Source() {
    std::unique_ptr<FileSource> source;
    EXPECT_TRUE(FileSource::Open(log_, &source).ok());
    return source;
  }
  IOStatus Append(StoreWritableFile* file, const std::string& bytes) {
    return file->Append(bytes, io_, nullptr);
  }

  TempDir dir_;
  const std::string log_ = dir_ / "000007.log";
  const IOOptions io_;
};

// If it said true, RocksDB would pad its writes, and Sync would never reach the file.
TEST_F(StoreFilesTest, DirectIoIsInternalAndSyncMayRunBesideAppends) {
  const auto file = Create();
  EXPECT_FALSE(file->use_direct_io());
  EXPECT_TRUE(file->IsSyncThreadSafe());
}

TEST_F(StoreFilesTest, AppendCountsAtOnceAndCloseLeavesExactlyTheBytes) {
  const auto file = Create();
  const std::string bytes = Stream(50000);
  EXPECT_EQ(file->GetFileSize(io_, nullptr), 0U);
  for (size_t at = 0; at < bytes.size(); at += 5000) {
    ASSERT_TRUE(Append(file.get(), bytes.substr(at, 5000)).ok());
    EXPECT_EQ(file->GetFileSize(io_, nullptr), at + 5000);
    ASSERT_TRUE(file->Flush(io_, nullptr).ok());
  }
  ASSERT_TRUE(file->Close(io_, nullptr).ok());
  EXPECT_TRUE(ReadFile(log_) == bytes);
}

TEST_F(StoreFilesTest, SyncAndFsyncBothMakeDurable) {
  const auto file = Create();
  const StorePtr store = LiveStores::FindPath(log_);
  ASSERT_NE(store, nullptr);
  ASSERT_TRUE(Append(file.get(), "12345").ok());
  EXPECT_EQ(store->durable(), 0U);
  ASSERT_TRUE(file->Sync(io_, nullptr).ok());
  EXPECT_EQ(store->durable(), 5U);
  ASSERT_TRUE(Append(file.get(), "678").ok());
  ASSERT_TRUE(file->Fsync(io_, nullptr).ok());
  EXPECT_EQ(store->durable(), 8U);
}

TEST_F(StoreFilesTest, CloseTwiceAndUseAfterClose) {
  const auto file = Create();
  ASSERT_TRUE(Append(file.get(), "12345").ok());
  EXPECT_TRUE(file->Close(io_, nullptr).ok());
  EXPECT_TRUE(file->Close(io_, nullptr).ok());
  EXPECT_FALSE(Append(file.get(), "6").ok());
  EXPECT_FALSE(file->Sync(io_, nullptr).ok());
  EXPECT_EQ(file->GetFileSize(io_, nullptr), 5U);
  EXPECT_EQ(ReadFile(log_), "12345");
}

TEST_F(StoreFilesTest, AHandleIsRegisteredUntilItIsClosed) {
  auto file = Create();
  EXPECT_NE(LiveStores::FindPath(log_), nullptr);
  ASSERT_TRUE(file->Close(io_, nullptr).ok());
  EXPECT_EQ(LiveStores::FindPath(log_), nullptr);
  file = Create();
  EXPECT_NE(LiveStores::FindPath(log_), nullptr);
  file.reset();
  EXPECT_EQ(LiveStores::FindPath(log_), nullptr) << "destroyed without Close";
}

TEST_F(StoreFilesTest, TruncateToItsSizeIsFineAndNothingElseIs) {
  const auto file = Create();
  ASSERT_TRUE(Append(file.get(), "12345").ok());
  EXPECT_TRUE(file->Truncate(5, io_, nullptr).ok());
  for (const uint64_t size : {0ULL, 4ULL, 6ULL}) {
    const IOStatus status = file->Truncate(size, io_, nullptr);
    EXPECT_TRUE(status.IsNotSupported()) << status.ToString();
    EXPECT_NE(status.ToString().find(log_), std::string::npos) << status.ToString();
  }
  ASSERT_TRUE(file->Close(io_, nullptr).ok());
  EXPECT_EQ(ReadFile(log_), "12345");
}

TEST_F(StoreFilesTest, HintsChangeNoByte) {
  const auto file = Create();
  file->SetPreallocationBlockSize(1 << 20);
  file->PrepareWrite(0, 100, io_, nullptr);
  EXPECT_TRUE(file->Allocate(0, 1 << 20, io_, nullptr).ok());
  ASSERT_TRUE(Append(file.get(), "12345").ok());
  EXPECT_TRUE(file->RangeSync(0, 5, io_, nullptr).ok());
  file->SetWriteLifeTimeHint(rocksdb::Env::WLTH_SHORT);
  EXPECT_EQ(file->GetFileSize(io_, nullptr), 5U);
  ASSERT_TRUE(file->Close(io_, nullptr).ok());
  EXPECT_EQ(ReadFile(log_), "12345");
}

// The data must be in scratch: RocksDB looks nowhere else.
TEST_F(StoreFilesTest, SequentialReadsFillScratchAndGoOnBehindTheEnd) {
  const auto file = Create();
  ASSERT_TRUE(Append(file.get(), "12345").ok());
  SourceSequentialFile reader(Source());
  char scratch[100] = {};
  Slice result;
  ASSERT_TRUE(reader.Read(3, io_, &result, scratch, nullptr).ok());
  EXPECT_EQ(result, "123");
  EXPECT_EQ(result.data(), scratch);
  ASSERT_TRUE(reader.Read(100, io_, &result, scratch, nullptr).ok());
  EXPECT_EQ(result, "45");
  ASSERT_TRUE(reader.Read(100, io_, &result, scratch, nullptr).ok());
  EXPECT_EQ(result, "");
  ASSERT_TRUE(Append(file.get(), "678").ok());
  ASSERT_TRUE(reader.Read(100, io_, &result, scratch, nullptr).ok());
  EXPECT_EQ(result, "678");
}

TEST_F(StoreFilesTest, SkipPastTheEndIsFine) {
  WriteFile(log_, "12345");
  SourceSequentialFile reader(Source());
  char scratch[100];
  Slice result;
  ASSERT_TRUE(reader.Skip(3).ok());
  ASSERT_TRUE(reader.Read(1, io_, &result, scratch, nullptr).ok());
  EXPECT_EQ(result, "4");
  ASSERT_TRUE(reader.Skip(1000).ok());
  ASSERT_TRUE(reader.Read(100, io_, &result, scratch, nullptr).ok());
  EXPECT_EQ(result, "");
}

TEST_F(StoreFilesTest, RandomReadsAtAnyOffset) {
  const auto file = Create();
  const std::string bytes = Stream(20000);
  ASSERT_TRUE(Append(file.get(), bytes).ok());
  const SourceRandomAccessFile reader(Source());
  std::string scratch(30000, '\0');
  Slice result;
  for (const uint64_t offset : {0, 1, 4095, 4096, 19999, 20000, 50000}) {
    ASSERT_TRUE(reader.Read(offset, 30000, io_, &result, scratch.data(), nullptr).ok());
    EXPECT_EQ(result.data(), scratch.data());
    EXPECT_TRUE(result.ToString() == (offset < 20000 ? bytes.substr(offset) : "")) << offset;
  }
}

// RocksDB asks open blob files, from 10.5 on.
TEST_F(StoreFilesTest, AnOpenFileKnowsWhatCanBeReadAlsoWhenItsNameIsGone) {
  const auto file = Create();
  ASSERT_TRUE(Append(file.get(), Stream(20000)).ok());
  SourceRandomAccessFile reader(Source());
  uint64_t size = 0;
  ASSERT_TRUE(reader.GetFileSize(&size).ok());
  EXPECT_EQ(size, 20000U);
  ASSERT_TRUE(Append(file.get(), Stream(5000)).ok());
  ASSERT_EQ(unlink(log_.c_str()), 0);
  ASSERT_TRUE(reader.GetFileSize(&size).ok());
  EXPECT_EQ(size, 25000U);
  ASSERT_TRUE(file->Close(io_, nullptr).ok());
  ASSERT_TRUE(reader.GetFileSize(&size).ok());
  EXPECT_EQ(size, 25000U);
}

// RocksDB's log reader takes a short OK read for the end: a hole must not look like one.
TEST_F(StoreFilesTest, BytesThatAreGoneAreAnIOError) {
  const auto file = Create();
  ASSERT_TRUE(Append(file.get(), Stream(20000)).ok());
  ASSERT_TRUE(file->Sync(io_, nullptr).ok());
  SourceSequentialFile reader(Source());
  ASSERT_EQ(truncate(log_.c_str(), 100), 0);
  std::string scratch(30000, '\0');
  Slice result;
  const IOStatus status = reader.Read(30000, io_, &result, scratch.data(), nullptr);
  EXPECT_TRUE(status.IsIOError()) << status.ToString();
  EXPECT_NE(status.ToString().find(log_), std::string::npos) << status.ToString();
}

}  // namespace
}  // namespace bloom_lfs
