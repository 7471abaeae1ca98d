// Streams that come before this one: no crash may show its bytes without theirs.

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "lss/dense_stream.h"
#include "plugin/default_runtime.h"
#include "tests/support/dead_log.h"
#include "tests/support/deferred_work.h"
#include "tests/support/files.h"
#include "tests/support/temp_dir.h"

namespace lss {
namespace {

using bloom_lfs::test::ReadFile;
using bloom_lfs::test::TempDir;
using test::Stream;

class PredecessorsTest : public testing::Test {
 protected:
  PredecessorsTest() {
    StoreOptions options;
    options.idle_flush_ms = 60000;
    options.frontier_bytes = 0;
    options.settle_predecessors = [this](bool durable) {
      const std::lock_guard<std::mutex> lock(calls_mutex_);
      calls_.push_back(durable ? "durable" : "written");
      bytes_at_call_.push_back(ReadFile(log_).find_first_not_of('\0'));
      return answer_;
    };
    const Status status = DenseStream::Open(bloom_lfs::DefaultRuntime(log_), log_, options,
                                            DenseStream::OpenMode::kTruncate, &store_);
    EXPECT_TRUE(status.ok()) << status.ToString();
  }
  ~PredecessorsTest() override {
    (void)store_->Close();
    bloom_lfs::test::AwaitDeferredWork();
  }
  Status Append(size_t n) {
    const std::string bytes = Stream(n);
    return store_->Append({bytes.data(), bytes.size()});
  }
  void SyncUntilHot() {
    for (int i = 0; i < 5; ++i) {
      ASSERT_TRUE(Append(10).ok());
      ASSERT_TRUE(store_->Sync().ok());
      bloom_lfs::test::AwaitDeferredWork();
    }
  }
  // Nobody was asked while there was a byte in the file already.
  void ExpectAskedBeforeTheFirstByte() {
    ASSERT_FALSE(bytes_at_call_.empty());
    EXPECT_EQ(bytes_at_call_[0], std::string::npos);
  }

  TempDir dir_;
  const std::string log_ = dir_ / "000007.log";
  std::mutex calls_mutex_;  // the appender and who makes the stream hot may ask at once
  std::vector<std::string> calls_;
  std::vector<size_t> bytes_at_call_;
  Status answer_;
  std::shared_ptr<DenseStream> store_;
};

TEST_F(PredecessorsTest, AreNotAskedForAStreamThatIsOnlyInItsRing) {
  ASSERT_TRUE(Append(1000).ok());
  EXPECT_TRUE(calls_.empty());
}

TEST_F(PredecessorsTest, AreWrittenBeforeTheFirstByte) {
  ASSERT_TRUE(Append(1000).ok());
  ASSERT_TRUE(store_->Sync().ok());
  ASSERT_EQ(calls_, std::vector<std::string>{"written"});
  ExpectAskedBeforeTheFirstByte();
  ASSERT_TRUE(Append(1000).ok());
  ASSERT_TRUE(store_->Sync().ok());
  EXPECT_EQ(calls_.size(), 1U) << "nobody appends to them any more";
}

TEST_F(PredecessorsTest, AreDurableBeforeABulkStreamTurnsHot) {
  ASSERT_TRUE(Append(100000).ok());
  bloom_lfs::test::AwaitDeferredWork();
  ASSERT_FALSE(calls_.empty());
  EXPECT_EQ(calls_.back(), "durable") << "what found the ring full has gone through the page cache";
  ExpectAskedBeforeTheFirstByte();
}

// It was written cold before: that has put them into their files, but not on the device. Once hot,
// its own bytes may reach the device before theirs.
TEST_F(PredecessorsTest, AreDurableBeforeAStreamThatWasWrittenColdTurnsHot) {
  ASSERT_TRUE(Append(1000).ok());
  ASSERT_TRUE(store_->Settle().ok());
  ASSERT_EQ(calls_, std::vector<std::string>{"written"});
  SyncUntilHot();
  EXPECT_EQ(calls_, (std::vector<std::string>{"written", "durable"}));
}

// The other side: a stream whose successor may have settled it already.
TEST_F(PredecessorsTest, WhatARetiredStreamStillGetsIsOnTheDeviceAtOnce) {
  ASSERT_TRUE(Append(1000).ok());
  EXPECT_EQ(store_->durable(), 0U);
  store_->Retire();
  ASSERT_TRUE(Append(1000).ok());
  EXPECT_EQ(store_->durable(), 2000U);
  EXPECT_EQ(ReadFile(log_), Stream(1000) + Stream(1000));
}

TEST_F(PredecessorsTest, AnErrorOfTheirsKeepsOurBytesOutOfTheFile) {
  answer_ = Status::FromErrno("write", "the older log", 0, EIO);
  ASSERT_TRUE(Append(1000).ok()) << "the ring takes it";
  const Status status = store_->Sync();
  EXPECT_EQ(status.code(), Status::Code::kIoError);
  EXPECT_NE(status.message().find("the older log"), std::string::npos) << status.message();
  EXPECT_EQ(ReadFile(log_), "");
  EXPECT_FALSE(Append(1).ok()) << "sticky";
}

}  // namespace
}  // namespace lss
