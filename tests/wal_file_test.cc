// Logs as RocksDB's log writer drives them: what a handle makes of the order of calls, and logs
// that are made long before they are needed.
#include "plugin/wal_file.h"

#include <gtest/gtest.h>
#include <rocksdb/env.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "plugin/default_runtime.h"
#include "plugin/rocksdb_versions.h"
#include "tests/support/deferred_work.h"
#include "tests/support/files.h"
#include "tests/support/plugin_file_system.h"
#include "tests/support/temp_dir.h"

namespace bloom_lfs {
namespace {

using rocksdb::DBOptions;
using rocksdb::FSWritableFile;
using test::ReadFile;

class WalFileTest : public testing::Test {
 protected:
  std::unique_ptr<FSWritableFile> Create(const std::string& path) {
    return test::CreateFile(fs_.get(), path);
  }
  std::unique_ptr<FSWritableFile> CreateManuallyFlushed(const std::string& path) {
    DBOptions options;
    options.manual_wal_flush = true;
    std::unique_ptr<FSWritableFile> file;
    EXPECT_TRUE(
        fs_->NewWritableFile(path, fs_->OptimizeForLogWrite({}, options), &file, nullptr).ok());
    return file;
  }
  // As the log writer does it.
  void AddRecord(FSWritableFile* file) {
    ASSERT_TRUE(file->Append("record", io_, nullptr).ok());
    ASSERT_TRUE(file->Flush(io_, nullptr).ok());
    ++records_;
  }
  void SyncWal(FSWritableFile* file) {
    ASSERT_TRUE(file->Flush(io_, nullptr).ok());
    ASSERT_TRUE(file->Sync(io_, nullptr).ok());
  }
  std::string Records() const {
    std::string all;
    for (int i = 0; i < records_; ++i) {
      all += "record";
    }
    return all;
  }

  test::TempDir dir_;
  const std::string log_ = dir_ / "000007.log";
  const std::string next_log_ = dir_ / "000009.log";
  const rocksdb::IOOptions io_;
  int records_ = 0;
  const std::unique_ptr<BloomLfsFileSystem> fs_ = test::NewFileSystem(PluginOptions());
};

TEST_F(WalFileTest, ARecordIsNotWrittenByItsFlush) {
  const auto file = Create(log_);
  AddRecord(file.get());
  AddRecord(file.get());
  EXPECT_EQ(ReadFile(log_), "");
}

TEST_F(WalFileTest, LockWalBringsTheFileUpToDate) {
  const auto file = Create(log_);
  AddRecord(file.get());
  AddRecord(file.get());
  ASSERT_TRUE(file->Flush(io_, nullptr).ok());
  EXPECT_EQ(ReadFile(log_), kLockWalFlushesTheLog ? Records() : "");
  EXPECT_EQ(LiveStores::FindPath(log_)->durable(), 0U);
}

TEST_F(WalFileTest, AHotLogIsExactBehindLockWal) {
  if (!kLockWalFlushesTheLog) {
    GTEST_SKIP() << "LockWAL calls nothing in this version";
  }
  const auto file = Create(log_);
  for (int i = 0; i < 5; ++i) {
    AddRecord(file.get());
    SyncWal(file.get());
    test::AwaitDeferredWork();
  }
  ASSERT_GT(ReadFile(log_).size(), Records().size()) << "zeros ahead";
  AddRecord(file.get());
  AddRecord(file.get());
  ASSERT_TRUE(file->Flush(io_, nullptr).ok());
  const std::string copied = ReadFile(log_);
  EXPECT_EQ(copied.compare(0, Records().size(), Records()), 0);
}

// Else each sync would be two writes.
TEST_F(WalFileTest, TheFlushOfASyncIsNotTakenForLockWal) {
  const auto file = Create(log_);
  for (int i = 0; i < 3; ++i) {
    AddRecord(file.get());
    SyncWal(file.get());
  }
  const std::string synced = Records();
  AddRecord(file.get());
  ASSERT_TRUE(file->Flush(io_, nullptr).ok());
  EXPECT_EQ(LiveStores::FindPath(log_)->hi_stable(), synced.size());
  ASSERT_TRUE(file->Sync(io_, nullptr).ok());
  EXPECT_EQ(LiveStores::FindPath(log_)->durable(), Records().size());
}

TEST_F(WalFileTest, FlushWalBringsTheFileUpToDateWhereNothingElseFlushes) {
  const auto file = CreateManuallyFlushed(log_);
  AddRecord(file.get());
  EXPECT_EQ(ReadFile(log_), Records());
  AddRecord(file.get());
  EXPECT_EQ(ReadFile(log_), Records());
}

// RocksDB empties its buffer when it has created the next log; that must not wait for the device.
TEST_F(WalFileTest, AChangeOfLogsIsNotTakenForLockWal) {
  const auto file = Create(log_);
  AddRecord(file.get());
  const auto next = Create(next_log_);
  ASSERT_TRUE(file->Flush(io_, nullptr).ok());
  EXPECT_EQ(ReadFile(log_), "");
}

// --- the next log is there long before it is needed (async_wal_precreate) ---

TEST_F(WalFileTest, ALogGoesOnAsBeforeWhileItsSuccessorHasNoByte) {
  const auto file = Create(log_);
  const auto next = Create(next_log_);
  const StorePtr store = LiveStores::FindPath(log_);
  for (int i = 0; i < 100; ++i) {
    AddRecord(file.get());
  }
  EXPECT_EQ(store->durable(), 0U) << "an append has become a sync";
  for (int i = 0; i < 5; ++i) {
    SyncWal(file.get());
    AddRecord(file.get());
    test::AwaitDeferredWork();
  }
  EXPECT_GT(store->pace().frontier_chunk_bytes, 0U) << "retired too early";
  ASSERT_TRUE(next->Append("first", io_, nullptr).ok());
  EXPECT_LT(store->durable(), Records().size());
  AddRecord(file.get());
  EXPECT_EQ(store->durable(), Records().size()) << "what comes late may not be overtaken";
}

TEST_F(WalFileTest, ASuccessorGoesOnAsItsPredecessorDidWhenItTookOver) {
  const auto file = Create(log_);
  const auto next = Create(next_log_);
  const StorePtr next_store = LiveStores::FindPath(next_log_);
  for (int i = 0; i < 5; ++i) {
    AddRecord(file.get());
    SyncWal(file.get());
    test::AwaitDeferredWork();
  }
  const lss::Pace pace = LiveStores::FindPath(log_)->pace();
  ASSERT_TRUE(pace.hot);
  EXPECT_FALSE(next_store->pace().hot) << "before its first byte";
  ASSERT_TRUE(next->Append("first", io_, nullptr).ok());
  for (int i = 0; i < 10; ++i) {  // jobs make jobs
    test::AwaitDeferredWork();
  }
  EXPECT_TRUE(next_store->pace().hot);
  EXPECT_EQ(next_store->pace().frontier_chunk_bytes, pace.frontier_chunk_bytes);
}

// RocksDB syncs every log it has. A sync of nothing settles nobody, and is no reason to turn hot.
TEST_F(WalFileTest, SyncsOfASuccessorWithoutAByteLeaveItsPredecessorAlone) {
  const auto file = Create(log_);
  const auto next = Create(next_log_);
  AddRecord(file.get());
  for (int i = 0; i < 5; ++i) {
    SyncWal(next.get());
    test::AwaitDeferredWork();
  }
  EXPECT_FALSE(LiveStores::FindPath(next_log_)->pace().hot);
  AddRecord(file.get());
  EXPECT_EQ(LiveStores::FindPath(log_)->durable(), 0U) << "retired, or synced for nothing";
}

// The property behind it all: bytes of the next log are in its file only if those of this one are
// in theirs, also those that came after the next one was made and perhaps synced.
TEST_F(WalFileTest, ASuccessorsBytesComeAfterAllOfItsPredecessor) {
  const auto file = Create(log_);
  const auto next = Create(next_log_);
  AddRecord(file.get());
  SyncWal(next.get());
  AddRecord(file.get());
  AddRecord(file.get());
  ASSERT_TRUE(next->Append("first", io_, nullptr).ok());
  ASSERT_TRUE(next->Sync(io_, nullptr).ok());
  EXPECT_EQ(ReadFile(log_), Records());
  EXPECT_EQ(ReadFile(next_log_), "first");
}

TEST_F(WalFileTest, TheSameBeforeASuccessorTurnsHot) {
  const auto file = Create(log_);
  const auto next = Create(next_log_);
  for (int i = 0; i < 5; ++i) {
    SyncWal(next.get());
  }
  AddRecord(file.get());
  // Half of its ring. More than all of it turns cold again where the device is slower than we are.
  const std::string bulk(1 << 20, 'b');
  ASSERT_TRUE(next->Append(bulk, io_, nullptr).ok());
  test::AwaitDeferredWork();
  ASSERT_TRUE(LiveStores::FindPath(next_log_)->pace().hot);
  EXPECT_EQ(LiveStores::FindPath(log_)->durable(), Records().size());
}

// An unused one is closed first, then the one in use.
TEST_F(WalFileTest, ASuccessorThatIsNeverUsedLeavesAnEmptyFile) {
  auto file = Create(log_);
  auto next = Create(next_log_);
  AddRecord(file.get());
  ASSERT_TRUE(next->Close(io_, nullptr).ok());
  AddRecord(file.get());
  EXPECT_EQ(LiveStores::FindPath(log_)->durable(), 0U);
  ASSERT_TRUE(file->Close(io_, nullptr).ok());
  EXPECT_EQ(ReadFile(log_), Records());
  EXPECT_EQ(ReadFile(next_log_), "");
}

// --- copies ---

TEST_F(WalFileTest, ACopyIsWrittenTheStockWayAndLeavesItsNeighboursAlone) {
  const auto file = Create(log_);
  AddRecord(file.get());
  std::unique_ptr<FSWritableFile> copy;
  ASSERT_TRUE(fs_->NewWritableFile(next_log_, {}, &copy, nullptr).ok());
  ASSERT_TRUE(copy->Append("copied", io_, nullptr).ok());
  EXPECT_EQ(LiveStores::FindPath(next_log_), nullptr);
  ASSERT_TRUE(copy->Sync(io_, nullptr).ok());
  EXPECT_EQ(ReadFile(next_log_), "copied");
  AddRecord(file.get());
  EXPECT_EQ(LiveStores::FindPath(log_)->durable(), 0U);
}

TEST_F(WalFileTest, CopiesInADirectoryLeaveNoRings) {
  std::vector<std::unique_ptr<FSWritableFile>> copies(3);
  for (size_t i = 0; i < copies.size(); ++i) {
    const std::string path = dir_ / ("00001" + std::to_string(i) + ".log");
    ASSERT_TRUE(fs_->NewWritableFile(path, {}, &copies[i], nullptr).ok());
    ASSERT_TRUE(copies[i]->Append("copied", io_, nullptr).ok());
  }
  EXPECT_FALSE(std::filesystem::exists(dir_ / ".bloom_lfs"))
      << "killed here, nobody would be alarmed";
}

TEST_F(WalFileTest, AskingForALogAndCreatingAnotherFileIsNoReasonEither) {
  (void)test::LogOptions(*fs_);
  std::unique_ptr<FSWritableFile> other;
  ASSERT_TRUE(fs_->NewWritableFile(dir_ / "MANIFEST-000004", {}, &other, nullptr).ok());
  std::unique_ptr<FSWritableFile> copy;
  ASSERT_TRUE(fs_->NewWritableFile(next_log_, {}, &copy, nullptr).ok());
  EXPECT_EQ(LiveStores::FindPath(next_log_), nullptr);
}

// File options lose what they carry behind an Env of the old kind.
class OldEnv final : public rocksdb::EnvWrapper {
 public:
  explicit OldEnv(rocksdb::Env* target) : EnvWrapper(target) {}
  const char* Name() const override { return "OldEnv"; }
};

TEST_F(WalFileTest, AnEnvOfTheOldKindDoesNotHideWhoseLogItIs) {
  const std::unique_ptr<rocksdb::Env> env = rocksdb::NewCompositeEnv(
      std::make_shared<BloomLfsFileSystem>(rocksdb::FileSystem::Default()));
  OldEnv old_env(env.get());
  const std::shared_ptr<rocksdb::FileSystem> fs = old_env.GetFileSystem();
  std::unique_ptr<FSWritableFile> file;
  ASSERT_TRUE(fs->NewWritableFile(log_, test::LogOptions(*fs), &file, nullptr).ok());
  EXPECT_NE(LiveStores::FindPath(log_), nullptr);
  std::unique_ptr<FSWritableFile> copy;
  ASSERT_TRUE(fs->NewWritableFile(next_log_, {}, &copy, nullptr).ok());
  EXPECT_EQ(LiveStores::FindPath(next_log_), nullptr);
}

// What replays a log asks for a log's options too, and creates nothing.
TEST_F(WalFileTest, AReopenedLogIsNoReasonToCarryACopy) {
  test::WriteFile(log_, "replayed");
  std::unique_ptr<FSWritableFile> file;
  ASSERT_TRUE(
      fs_->ReopenWritableFile(log_, fs_->OptimizeForLogWrite({}, DBOptions()), &file, nullptr)
          .ok());
  std::unique_ptr<FSWritableFile> copy;
  ASSERT_TRUE(fs_->NewWritableFile(next_log_, {}, &copy, nullptr).ok());
  EXPECT_EQ(LiveStores::FindPath(next_log_), nullptr);
}

}  // namespace
}  // namespace bloom_lfs
