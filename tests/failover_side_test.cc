// A stream with a file that may hang: what its side log keeps for it, and what it must not say.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "lss/second_place/failover_stream.h"
#include "tests/support/doubled_stream_fixture.h"
#include "tests/support/temp_dir.h"

namespace lss {
namespace {

using std::chrono::milliseconds;
using test::DeviceCall;
using test::StreamBytes;
using test::StreamNumber;

class HangingFile final : public HandOffFile {
 public:
  Status Append(ByteView) override {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return !hangs_; });
    return Status::Ok();
  }
  Status Sync() override {
    ++syncs_;
    return Status::Ok();
  }
  void Hang(bool hangs) {
    const std::lock_guard<std::mutex> lock(mutex_);
    hangs_ = hangs;
    changed_.notify_all();
  }
  int syncs() const { return syncs_; }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool hangs_ = false;
  std::atomic<int> syncs_{0};
};

class FailoverSideTest : public test::DoubledStreamFixture {
 protected:
  std::shared_ptr<FailoverStream> BeginHedge(uint64_t number) {
    std::unique_ptr<HandOffQueue> queue;
    Status status = HandOffQueue::Create(dir_.path(), StreamNumber(number), &queue);
    EXPECT_TRUE(status.ok()) << status.ToString();
    const SecondParts parts = {log_.get(), workers_.get(), &figures_, make_room_, nullptr};
    std::shared_ptr<FailoverStream> stream;
    status = FailoverStream::Start(StreamNumber(number), true, parts,
                                   std::make_shared<SharedFailoverPolicy>(FailoverLimits{}),
                                   std::move(queue), file_, &stream);
    EXPECT_TRUE(status.ok()) << status.ToString();
    return stream;
  }
  Address OnSide(uint64_t number) { return CoveredFrom(0, RangesOf(Scan()), number); }

  bloom_lfs::test::TempDir dir_;
  const std::shared_ptr<HangingFile> file_ = std::make_shared<HangingFile>();
};

TEST_F(FailoverSideTest, ASyncRestsOnTheSideLogWhileTheFileHangs) {
  file_->Hang(true);
  const auto stream = BeginHedge(1);
  ASSERT_TRUE(stream->Append(StreamBytes(1, 0, 100)).ok());
  ASSERT_TRUE(stream->Sync().ok());
  EXPECT_EQ(file_->syncs(), 0);
  EXPECT_EQ(OnSide(1), 100U);
  file_->Hang(false);
  ASSERT_TRUE(stream->Finish().ok());
  EXPECT_EQ(file_->syncs(), 1);
  EXPECT_FALSE(IsAnythingWanted());
}

// The first bytes found no room, and there is some when the next come.
TEST_F(FailoverSideTest, NothingIsAcknowledgedBehindAHole) {
  for (uint64_t round = 1; round <= 20; ++round) {
    FillUp();
    std::atomic<bool> next_may_come{false};
    std::atomic<int> asked{0};
    make_room_ = [&] {
      if (++asked > 1) {
        log_->Forget(StreamNumber(kFiller));
        return true;
      }
      next_may_come = true;
      std::this_thread::sleep_for(milliseconds(1));  // the next is there by then
      return false;
    };
    file_->Hang(true);
    const auto stream = BeginHedge(round);
    ASSERT_TRUE(stream->Append(StreamBytes(round, 0, 100)).ok());
    std::thread first([&] { EXPECT_TRUE(stream->Sync().ok()); });
    while (!next_may_come) {
      std::this_thread::yield();
    }
    ASSERT_TRUE(stream->Append(StreamBytes(round, 100, 100)).ok());
    std::atomic<bool> is_acknowledged{false};
    std::thread second([&] {
      EXPECT_TRUE(stream->Sync().ok());
      is_acknowledged = true;
    });
    std::this_thread::sleep_for(milliseconds(20));
    EXPECT_FALSE(is_acknowledged && OnSide(round) < 200) << round;
    file_->Hang(false);
    first.join();
    second.join();
    ASSERT_TRUE(stream->Finish().ok());
    log_->Forget(StreamNumber(kFiller));
    log_->Forget(StreamNumber(round));
    log_->NoteHead();
  }
}

// Or it would keep the room of all that comes behind it.
TEST_F(FailoverSideTest, WhatReachesTheSideLogAfterTheFileIsNotWanted) {
  FillUp();
  file_->Hang(true);
  make_room_ = [&] {
    file_->Hang(false);
    while (figures_.file_syncs == 0) {
      std::this_thread::yield();
    }
    std::this_thread::sleep_for(milliseconds(20));  // until its end is known
    log_->Forget(StreamNumber(kFiller));
    return true;
  };
  const auto stream = BeginHedge(1);
  ASSERT_TRUE(stream->Append(StreamBytes(1, 0, 100)).ok());
  ASSERT_TRUE(stream->Sync().ok());
  workers_.reset();  // does what there is
  EXPECT_EQ(figures_.doubled_bytes, 100U);
  EXPECT_FALSE(IsAnythingWanted());
  ASSERT_TRUE(stream->Finish().ok());
}

// Closing does not wait for the side log, so a worker may be at it longer than the stream lives.
TEST_F(FailoverSideTest, WhatReachesTheSideLogAfterTheStreamIsForgottenIsNotWanted) {
  FillUp();
  file_->Hang(true);
  std::atomic<bool> is_over{false};
  make_room_ = [&] {
    file_->Hang(false);  // it is quicker from now on
    while (!is_over) {
      std::this_thread::yield();
    }
    log_->Forget(StreamNumber(kFiller));
    log_->NoteHead();
    device_.Hold(DeviceCall::kWrite);
    return true;
  };
  const auto stream = BeginHedge(1);
  ASSERT_TRUE(stream->Append(StreamBytes(1, 0, 100)).ok());
  ASSERT_TRUE(stream->Sync().ok());
  ASSERT_TRUE(stream->Finish().ok());
  log_->Forget(StreamNumber(1));
  is_over = true;
  EXPECT_TRUE(device_.AwaitHeld());  // what the worker has appended is being written
  EXPECT_FALSE(log_->Wants(StreamNumber(1).database));
  device_.Release();
}

TEST_F(FailoverSideTest, AWorkerThatComesAfterTheStreamsEndBringsNothing) {
  std::atomic<bool> is_over{false};
  for (int worker = 0; worker < kWorkers; ++worker) {
    workers_->Add([&] {
      while (!is_over) {
        std::this_thread::yield();
      }
    });
  }
  const auto stream = BeginHedge(1);
  ASSERT_TRUE(stream->Append(StreamBytes(1, 0, 100)).ok());
  ASSERT_TRUE(stream->Sync().ok());
  ASSERT_TRUE(stream->Append(StreamBytes(1, 100, 100)).ok());
  ASSERT_TRUE(stream->Finish().ok());
  is_over = true;
  workers_.reset();  // does what there is
  EXPECT_EQ(figures_.doubled_bytes, 0U);
  EXPECT_FALSE(IsAnythingWanted());
}

}  // namespace
}  // namespace lss
