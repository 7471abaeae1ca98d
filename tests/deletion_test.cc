// A log or a directory of logs is deleted, by a handle's owner, by somebody else, or only nearly.

#include <gtest/gtest.h>
#include <rocksdb/file_system.h>
#include <sys/stat.h>
#include <unistd.h>

#include <future>
#include <memory>
#include <string>

#include "lss/ring/ring_view.h"
#include "plugin/default_runtime.h"
#include "plugin/live_stores.h"
#include "tests/support/deferred_work.h"
#include "tests/support/file_system_fixture.h"
#include "tests/support/files.h"

namespace bloom_lfs {
namespace {

using lss::test::Exists;
using lss::test::Names;
using lss::test::Stream;
using rocksdb::IOStatus;
using DeletionTest = test::BloomLfsFileSystemTest;

// The local FileSystem, but that nothing can be deleted.
class Keeper : public rocksdb::FileSystemWrapper {
 public:
  using FileSystemWrapper::FileSystemWrapper;
  const char* Name() const override { return rocksdb::FileSystem::Default()->Name(); }
  IOStatus DeleteFile(const std::string& path, const rocksdb::IOOptions&,
                      rocksdb::IODebugContext*) override {
    return IOStatus::IOError("kept", path);
  }
};

// What a kill at this moment leaves: a ring that holds bytes which its log's file lacks, or one
// that has nothing to say.
bool RingHoldsBytes(const std::string& log) {
  std::unique_ptr<lss::RingView> ring;
  const std::string path = LiveStores::FindPath(log)->ring_path();
  EXPECT_TRUE(lss::RingView::Open(path, &ring).ok());
  return ring->HoldsUnwritten();
}

TEST_F(DeletionTest, ADeletedLogsRingGoesWithItsHandle) {
  const auto log = CreateWith(log_, Stream(5000));
  ASSERT_TRUE(fs_->DeleteFile(log_, io_, nullptr).ok());
  EXPECT_FALSE(Exists(log_));
  EXPECT_TRUE(log->Append("more", io_, nullptr).ok());
  EXPECT_TRUE(log->Sync(io_, nullptr).ok());
  EXPECT_TRUE(log->Close(io_, nullptr).ok());
  EXPECT_FALSE(Exists(log_));
  test::AwaitDeferredWork();
  EXPECT_FALSE(Exists(rings_));
}

// RocksDB deletes logs whose handles it has not closed yet.
TEST_F(DeletionTest, KilledBeforeTheHandleOfADeletedLogIsClosedNothingIsSetAside) {
  const auto log = CreateWith(log_, Stream(5000));
  const StorePtr store = LiveStores::FindPath(log_);
  std::unique_ptr<lss::RingView> ring;
  ASSERT_TRUE(lss::RingView::Open(store->ring_path(), &ring).ok());
  EXPECT_TRUE(ring->HoldsUnwritten());
  ASSERT_TRUE(fs_->DeleteFile(log_, io_, nullptr).ok());
  EXPECT_FALSE(ring->HoldsUnwritten());
}

TEST_F(DeletionTest, ALogThatCannotBeDeletedKeepsItsPromise) {
  BloomLfsFileSystem fs(std::make_shared<Keeper>(rocksdb::FileSystem::Default()),
                        test::SmallRings());
  ASSERT_TRUE(fs.PrepareOptions(rocksdb::ConfigOptions()).ok());
  const auto log = test::CreateFile(&fs, log_);
  ASSERT_TRUE(log->Append(Stream(5000), io_, nullptr).ok());
  EXPECT_FALSE(fs.DeleteFile(log_, io_, nullptr).ok());
  EXPECT_TRUE(RingHoldsBytes(log_));
  ASSERT_TRUE(log->Close(io_, nullptr).ok());
  EXPECT_FALSE(fs.DeleteFile(log_, io_, nullptr).ok());
  EXPECT_TRUE(test::ReadFile(log_) == Stream(5000));
}

TEST_F(DeletionTest, DeleteDirTakesLeftoverRingsAlong) {
  const std::string db = dir_ / "db";
  ASSERT_EQ(mkdir(db.c_str(), 0755), 0);
  MakeDead(db + "/000007.log");
  ASSERT_EQ(unlink((db + "/000007.log").c_str()), 0);
  const IOStatus status = fs_->DeleteDir(db, io_, nullptr);
  EXPECT_TRUE(status.ok()) << status.ToString();
  EXPECT_FALSE(Exists(db));
}

// The last step of a close may be stuck behind a disk; nobody needs it for a log that is deleted.
TEST_F(DeletionTest, DeleteDirDoesNotWaitForJobs) {
  const std::string db = dir_ / "db";
  ASSERT_EQ(mkdir(db.c_str(), 0755), 0);
  const std::string path = db + "/000007.log";
  const auto log = CreateWith(path, "12345");
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(log->Append("12345", io_, nullptr).ok());
    ASSERT_TRUE(log->Sync(io_, nullptr).ok());
  }
  test::AwaitDeferredWork();  // hot
  std::promise<void> release;
  const std::shared_future<void> released(release.get_future());
  DefaultRuntime(db)->maintenance()->Enqueue(db + "/" + lss::kRingDirectoryName,
                                             [released] { released.wait(); });
  ASSERT_TRUE(log->Close(io_, nullptr).ok());
  EXPECT_EQ(Names(db + "/" + lss::kRingDirectoryName).size(), 1U) << "its ring waits for the disk";
  ASSERT_TRUE(fs_->DeleteFile(path, io_, nullptr).ok());
  const IOStatus status = fs_->DeleteDir(db, io_, nullptr);
  EXPECT_TRUE(status.ok()) << status.ToString();
  EXPECT_FALSE(Exists(db));
  release.set_value();
  test::AwaitDeferredWork();
}

TEST_F(DeletionTest, DeleteDirOfADirectoryInUseFailsAndTouchesNothing) {
  const auto log = CreateWith(log_, "12345");
  EXPECT_FALSE(fs_->DeleteDir(dir_.path(), io_, nullptr).ok());
  EXPECT_TRUE(Exists(LiveStores::FindPath(log_)->ring_path()));
}

}  // namespace
}  // namespace bloom_lfs
