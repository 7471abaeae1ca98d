#include "lss/stream/flush_pipeline.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/flush_pipeline_fixture.h"

namespace lss {
namespace {

const Status kDiskGone = Status::FromErrno("write", "file", 0, EIO);

TEST_F(FlushPipelineTest, NothingIsWrittenBeforeTheGateOpensAndItIsAskedOnce) {
  int asked = 0;
  pipeline_.SetWriteGate([&] { ++asked; });
  Seal(2);
  EXPECT_EQ(asked, 1);
  EXPECT_TRUE(NextWrites().empty());
  pipeline_.AllowWrites(FlushPipeline::Gate::kHot);
  EXPECT_EQ(NextWrites().size(), 1U);
  EXPECT_EQ(asked, 1);
}

TEST_F(TailLocalizedPipelineTest, WhatIsWrittenGoesOnToTheDeviceWithoutWaitingForTheSync) {
  Seal(2);
  const std::vector<WriteOp> ops = NextWrites();
  ASSERT_EQ(ops.size(), 2U);
  Done(ops[1]);
  Done(ops[0], kDiskGone);
  EXPECT_EQ(parts_->device.Trace({DeviceCall::kStartWriteback}), Lines({"writeback 4096+4096"}));
}

TEST_F(FlushPipelineTest, SerializedBatchesFollowEachOther) {
  pipeline_.AllowWrites(FlushPipeline::Gate::kHot);
  Seal(1);
  const std::vector<WriteOp> first = NextWrites();
  ASSERT_EQ(first.size(), 1U);
  Seal(2);
  EXPECT_TRUE(NextWrites().empty()) << "the first batch is under way";
  Done(first[0]);
  EXPECT_EQ(pipeline_.hi_stable(), 4096U);
  // One or both, by how long the first took: cache_policy_test.
  const std::vector<WriteOp> second = NextWrites();
  ASSERT_EQ(second.size(), 1U);
  EXPECT_EQ(second[0].offset, 4096U);
  EXPECT_TRUE(NextWrites().empty()) << "the second batch is under way";
  Done(second[0]);
  EXPECT_EQ(pipeline_.hi_stable(), second[0].end());
  EXPECT_EQ(pipeline_.TakeCompletions(), 2U);
  EXPECT_EQ(pipeline_.TakeCompletions(), 0U);
}

TEST_F(TailLocalizedPipelineTest,
       Trap10_CompletionsInAnyOrderMoveTheWatermarkOverWhatIsContiguous) {
  Seal(3);
  const std::vector<WriteOp> ops = NextWrites();
  ASSERT_EQ(ops.size(), 3U);
  Done(ops[2]);
  Done(ops[1]);
  EXPECT_EQ(pipeline_.hi_stable(), 0U);
  EXPECT_EQ(pipeline_.island_count(), 2U);
  Done(ops[0]);
  EXPECT_EQ(pipeline_.hi_stable(), 12288U);
  EXPECT_EQ(pipeline_.island_count(), 0U);
}

// Trap 10: several reapers at once. With a check and an insert that others can come between, an
// island stays behind and the watermark with it.
TEST_F(TailLocalizedPipelineTest, Trap10_ManyReapersLeaveNoIslandBehind) {
  std::mt19937 random(1);
  for (int round = 0; round < 300; ++round) {
    Seal(3);
    std::vector<WriteOp> ops = NextWrites();
    ASSERT_EQ(ops.size(), 3U);
    std::shuffle(ops.begin(), ops.end(), random);
    std::atomic<int> ready{0};
    std::vector<std::thread> reapers;
    for (const WriteOp& op : ops) {
      reapers.emplace_back([&, op] {
        ++ready;
        while (ready < 3) {
        }
        Done(op);
      });
    }
    for (std::thread& reaper : reapers) {
      reaper.join();
    }
    ASSERT_EQ(pipeline_.hi_stable(), parts_->end() - 1) << "round " << round;
    ASSERT_EQ(pipeline_.island_count(), 0U);
  }
}

TEST_F(FlushPipelineTest, TheFlusherGetsNothingUnderExclusiveAccess) {
  pipeline_.AllowWrites(FlushPipeline::Gate::kHot);
  Seal(1);
  {
    const FlushPipeline::Exclusive exclusive(&pipeline_);
    EXPECT_TRUE(NextWrites().empty());
    EXPECT_FALSE(FlushPipeline::Exclusive::Try(&pipeline_).valid());
  }
  EXPECT_EQ(NextWrites().size(), 1U);
  EXPECT_FALSE(FlushPipeline::Exclusive::Try(&pipeline_).valid()) << "a write is under way";
}

// Trap 8, the rule behind it: the holder of the tail and the flusher never write together.
TEST_F(FlushPipelineTest, Trap08_ExclusiveAccessWaitsForWritesUnderWayAndGoesBeforeNewOnes) {
  pipeline_.AllowWrites(FlushPipeline::Gate::kHot);
  Seal(1);
  const std::vector<WriteOp> ops = NextWrites();
  ASSERT_EQ(ops.size(), 1U);
  std::atomic<bool> write_done{false};
  std::atomic<bool> inside{false};
  std::thread holder([&] {
    const FlushPipeline::Exclusive exclusive(&pipeline_);
    EXPECT_TRUE(write_done) << "got in beside a write";
    inside = true;
    EXPECT_TRUE(NextWrites().empty());
  });
  Seal(2);
  // From the moment the holder waits, Try must fail also after the write.
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  write_done = true;
  Done(ops[0]);
  holder.join();
  EXPECT_TRUE(inside);
  EXPECT_EQ(NextWrites().size(), 1U);
}

TEST_F(FlushPipelineTest, ConcurrentSyncsShareOneSync) {
  ASSERT_TRUE(parts_->Append(100).ok());
  parts_->device.Hold(DeviceCall::kSync);
  std::vector<std::thread> callers;
  callers.emplace_back([this] { EXPECT_TRUE(parts_->tail.Sync().ok()); });
  ASSERT_TRUE(parts_->device.AwaitHeld());
  // These come too late for the first sync, and share the second one.
  ASSERT_TRUE(parts_->Append(100).ok());
  for (int i = 0; i < 8; ++i) {
    callers.emplace_back([this] { EXPECT_TRUE(parts_->tail.Sync().ok()); });
  }
  parts_->device.Release();
  for (std::thread& caller : callers) {
    caller.join();
  }
  EXPECT_EQ(parts_->device.Count(DeviceCall::kSync), 2U);
  EXPECT_EQ(pipeline_.durable(), 200U);
}

// Trap 9: the durable address goes to what was captured before the sync was submitted, not to what
// has been written by the time it is over.
TEST_F(FlushPipelineTest, Trap09_DurableMovesToTheValueCapturedBeforeTheSync) {
  ASSERT_TRUE(parts_->Append(1000).ok());
  parts_->device.Hold(DeviceCall::kSync);
  std::thread caller([this] { EXPECT_TRUE(parts_->tail.Sync().ok()); });
  ASSERT_TRUE(parts_->device.AwaitHeld());
  EXPECT_EQ(pipeline_.hi_stable(), 1000U) << "written";
  EXPECT_EQ(pipeline_.durable(), 0U) << "but the sync has not finished";
  ASSERT_TRUE(parts_->Append(500).ok());
  parts_->device.Release();
  caller.join();
  EXPECT_EQ(pipeline_.durable(), 1000U);
  EXPECT_EQ(parts_->device.PowerCut(test::Survivors::kSyncedOnly), StreamBytes(0, 1000));
}

TEST_F(FlushPipelineTest, Trap11_TheFirstErrorStaysAndTheWatermarkStandsStill) {
  pipeline_.AllowWrites(FlushPipeline::Gate::kHot);
  Seal(1);
  const std::vector<WriteOp> ops = NextWrites();
  ASSERT_EQ(ops.size(), 1U);
  pipeline_.Fail(kDiskGone);
  pipeline_.Fail(Status::NotSupported("a later error"));
  EXPECT_EQ(pipeline_.error().message(), kDiskGone.message());
  Done(ops[0]);
  EXPECT_EQ(pipeline_.hi_stable(), 0U) << "nothing is acknowledged after a failure";
  Seal(2);
  EXPECT_TRUE(NextWrites().empty()) << "and nothing is written";
  EXPECT_EQ(parts_->tail.Sync().message(), kDiskGone.message());
  EXPECT_EQ(parts_->device.Count(DeviceCall::kSync), 0U);
}

TEST_F(FlushPipelineTest, Trap11_AFailedWriteOfABufferFailsTheStream) {
  pipeline_.AllowWrites(FlushPipeline::Gate::kHot);
  parts_->device.Fail({DeviceCall::kWrite, EIO});
  Seal(2);
  parts_->CarryWrites();
  EXPECT_TRUE(pipeline_.failed());
  EXPECT_EQ(pipeline_.error().code(), Status::Code::kIoError);
  EXPECT_EQ(parts_->device.Count(DeviceCall::kWrite), 1U) << "a failed write is not tried again";
}

// Trap 11: the kernel marks the pages of a failed sync clean, so a second one would succeed and
// lie.
TEST_F(FlushPipelineTest, Trap11_NobodyRepeatsAFailedSync) {
  ASSERT_TRUE(parts_->Append(100).ok());
  parts_->device.Fail({DeviceCall::kSync, EIO});
  parts_->device.Hold(DeviceCall::kSync);
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([this] { EXPECT_EQ(parts_->tail.Sync().code(), Status::Code::kIoError); });
  }
  ASSERT_TRUE(parts_->device.AwaitHeld());
  parts_->device.Release();
  for (std::thread& caller : callers) {
    caller.join();
  }
  EXPECT_EQ(parts_->tail.Sync().code(), Status::Code::kIoError);
  EXPECT_EQ(parts_->device.Count(DeviceCall::kSync), 1U);
  EXPECT_EQ(parts_->device.Violations(), "");
  EXPECT_EQ(pipeline_.durable(), 0U);
}

TEST_F(FlushPipelineTest, Trap11_AFailedStreamAcknowledgesNothingNotEvenWhatIsDurable) {
  ASSERT_TRUE(parts_->Append(100).ok());
  ASSERT_TRUE(parts_->tail.Sync().ok());
  pipeline_.Fail(kDiskGone);
  EXPECT_EQ(pipeline_.SyncTo(100, [] { return FlushPipeline::SyncStep{}; }).message(),
            kDiskGone.message());
  EXPECT_EQ(pipeline_.SyncTo(101, [] { return FlushPipeline::SyncStep{}; }).message(),
            kDiskGone.message());
}

// --- setbacks: errors that pass ---

TEST_F(FlushPipelineTest, AWriteWithoutRoomIsTriedAgainWhenSomebodyNeedsIt) {
  pipeline_.AllowWrites(FlushPipeline::Gate::kHot);
  parts_->device.Fail({DeviceCall::kWrite, ENOSPC});
  Seal(2);
  parts_->CarryWrites();
  EXPECT_FALSE(pipeline_.failed());
  EXPECT_TRUE(NextWrites().empty()) << "not at once, and not for ever";
  std::thread waiter([this] { EXPECT_TRUE(pipeline_.AwaitStable(8192).ok()); });
  while (pipeline_.hi_stable() < 8192) {
    parts_->CarryWrites();
    std::this_thread::yield();
  }
  waiter.join();
  EXPECT_EQ(parts_->device.Content().substr(0, 8192), StreamBytes(0, 8192));
}

TEST_F(FlushPipelineTest, WhoWaitsIsToldOfTheSetbackAndTheNextOneTriesAgain) {
  pipeline_.AllowWrites(FlushPipeline::Gate::kHot);
  Seal(2);
  const std::vector<WriteOp> ops = NextWrites();
  ASSERT_EQ(ops.size(), 1U);
  std::thread waiter(
      [this] { EXPECT_EQ(pipeline_.AwaitStable(8192).code(), Status::Code::kNoSpace); });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // lets it wait
  Done(ops[0], Status::FromErrno("write", "file", 0, EDQUOT));
  waiter.join();
  std::thread next([this] { EXPECT_TRUE(pipeline_.AwaitStable(8192).ok()); });
  while (pipeline_.hi_stable() < 8192) {
    parts_->CarryWrites();
    std::this_thread::yield();
  }
  next.join();
}

TEST_F(TailLocalizedPipelineTest, ASetbackAmongOthersLosesNoBuffer) {
  Seal(3);
  const std::vector<WriteOp> ops = NextWrites();
  ASSERT_EQ(ops.size(), 3U);
  Done(ops[2]);
  Done(ops[0], Status::FromErrno("write", "file", 0, ENOSPC));
  EXPECT_TRUE(NextWrites().empty()) << "one is still under way";
  Done(ops[1]);
  EXPECT_EQ(pipeline_.hi_stable(), 0U);
  std::thread waiter([this] { EXPECT_TRUE(pipeline_.AwaitStable(12288).ok()); });
  while (pipeline_.hi_stable() < 12288) {
    parts_->CarryWrites();
    std::this_thread::yield();
  }
  waiter.join();
  EXPECT_EQ(pipeline_.island_count(), 0U);
}

TEST_F(FlushPipelineTest, ASyncWithoutRoomFailsAloneAndTheNextOneIsTold) {
  ASSERT_TRUE(parts_->Append(100).ok());
  parts_->device.Fail({DeviceCall::kWrite, ENOSPC});
  EXPECT_EQ(parts_->tail.Sync().code(), Status::Code::kNoSpace);
  EXPECT_FALSE(pipeline_.failed());
  EXPECT_EQ(pipeline_.durable(), 0U);
  EXPECT_TRUE(parts_->tail.Sync().ok());
  EXPECT_EQ(parts_->device.PowerCut(test::Survivors::kSyncedOnly), StreamBytes(0, 100));
}

TEST_F(FlushPipelineTest, Trap14_WaitersWakeWhenTheWatermarkHasPassedThem) {
  pipeline_.AllowWrites(FlushPipeline::Gate::kHot);
  Seal(3);
  std::vector<std::thread> waiters;
  for (const Address address : {Address{1}, Address{4096}, Address{12288}}) {
    waiters.emplace_back([this, address] {
      EXPECT_TRUE(pipeline_.AwaitStable(address).ok());
      EXPECT_GE(pipeline_.hi_stable(), address) << "woken too early";
    });
  }
  const std::vector<WriteOp> ops = NextWrites();
  ASSERT_EQ(ops.size(), 1U);
  // Two halves, so that some waiters are woken for nothing in between.
  Done({ops[0].data, 4096, 0});
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  pipeline_.OnTailWritten(4096, 12288, WriteKind::kPlain);
  { const FlushPipeline::Exclusive wakes_all(&pipeline_); }
  for (std::thread& waiter : waiters) {
    waiter.join();
  }
}

TEST_F(FlushPipelineTest, Trap14_EveryWaiterGetsTheError) {
  pipeline_.AllowWrites(FlushPipeline::Gate::kHot);
  Seal(2);
  std::vector<std::thread> waiters;
  for (int i = 0; i < 4; ++i) {
    waiters.emplace_back(
        [this] { EXPECT_EQ(pipeline_.AwaitStable(8192).message(), kDiskGone.message()); });
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  pipeline_.Fail(kDiskGone);
  for (std::thread& waiter : waiters) {
    waiter.join();
  }
}

// Ring of 16 KiB: after a sync, sealed buffers are left to the next one until half of it is used.
TEST_F(FlushPipelineTest, AStreamThatSyncsOftenLeavesItsBuffersToTheNextSync) {
  pipeline_.AllowWrites(FlushPipeline::Gate::kHot);
  ASSERT_TRUE(parts_->Append(100).ok());
  ASSERT_TRUE(parts_->tail.Sync().ok());
  Seal(2);
  EXPECT_TRUE(NextWrites().empty()) << "sealed up to 8192, synced up to 100";
  Seal(1);
  EXPECT_EQ(NextWrites().size(), 1U);
}

TEST_F(FlushPipelineTest, BackPressureSendsWhatWasLeftToTheNextSync) {
  pipeline_.AllowWrites(FlushPipeline::Gate::kHot);
  ASSERT_TRUE(parts_->Append(100).ok());
  ASSERT_TRUE(parts_->tail.Sync().ok());
  Seal(1);
  ASSERT_TRUE(NextWrites().empty());
  std::thread waiter([this] { EXPECT_TRUE(pipeline_.AwaitStable(4096).ok()); });
  while (pipeline_.hi_stable() < 4096) {
    parts_->CarryWrites();
    std::this_thread::yield();
  }
  { const FlushPipeline::Exclusive wakes_all(&pipeline_); }
  waiter.join();
}

}  // namespace
}  // namespace lss
