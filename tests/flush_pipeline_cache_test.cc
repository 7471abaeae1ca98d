// A FlushPipeline whose gate is shut or cold, and one that is outrun.
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/flush_pipeline_fixture.h"

namespace lss {
namespace {

// --- the gate ---

TEST_F(TailLocalizedPipelineTest, AColdStreamIsWrittenInOrderAndExactly) {
  pipeline_.AllowWrites(FlushPipeline::Gate::kCold);
  Seal(3);
  EXPECT_TRUE(pipeline_.InOrder());
  const std::vector<WriteOp> ops = NextWrites();
  ASSERT_EQ(ops.size(), 1U) << "one after the other";
  EXPECT_EQ(ops[0].end(), 12288U);
  EXPECT_EQ(parts_->device.Count(DeviceCall::kSetSize), 0U) << "the size follows the data";
  Done(ops[0]);
}

TEST_F(FlushPipelineTest, AColdStreamAsksAgainWhetherItMayBeHot) {
  int asked = 0;
  pipeline_.SetWriteGate([&] { ++asked; });
  Seal(1);
  pipeline_.AllowWrites(FlushPipeline::Gate::kCold);
  EXPECT_EQ(asked, 1);
  parts_->CarryWrites();
  EXPECT_EQ(pipeline_.hi_stable(), 4096U) << "and is written meanwhile";
  Seal(1);
  EXPECT_EQ(asked, 2);
}

TEST_F(FlushPipelineTest, WhoWaitsForARefusedGateIsToldAndTheNextOneAsksAgain) {
  int asked = 0;
  pipeline_.SetWriteGate([&] {
    ++asked;
    pipeline_.Refuse(Status::NoSpace("not now"));
  });
  Seal(2);
  EXPECT_EQ(pipeline_.AwaitStable(4096).message(), "not now");
  EXPECT_EQ(pipeline_.AwaitStable(4096).message(), "not now");
  EXPECT_FALSE(pipeline_.failed());
  EXPECT_GE(asked, 3);
}

// --- the page cache instead of waiting ---

TEST_F(FlushPipelineTest, BeforeTheGateOpensAFullRingIsRelievedInsteadOfWaitedFor) {
  std::vector<FlushPipeline::Relief> asked;
  pipeline_.SetRelief([&](FlushPipeline::Relief relief) {
    asked.push_back(relief);
    (void)parts_->tail.Relieve(relief);
  });
  ASSERT_TRUE(parts_->Append(10 * 4096).ok()) << "two and a half rings, and nobody carries writes";
  EXPECT_FALSE(asked.empty());
  for (const FlushPipeline::Relief relief : asked) {
    EXPECT_EQ(relief, FlushPipeline::Relief::kCold);
  }
  EXPECT_EQ(
      FirstDifference(parts_->device.Content(), StreamBytes(0, parts_->device.Content().size())),
      "");
  EXPECT_EQ(pipeline_.hi_stable() % 4096, 0U);
}

TEST_F(FlushPipelineTest, AHotStreamThatWaitsForLongIsRelievedOnce) {
  parts_->tail.MakeHot();
  std::vector<FlushPipeline::Relief> asked;
  pipeline_.SetRelief([&](FlushPipeline::Relief relief) {
    asked.push_back(relief);
    EXPECT_TRUE(parts_->tail.Relieve(relief));
  });
  ASSERT_TRUE(parts_->Append(4 * 4096).ok());
  parts_->device.Hold(DeviceCall::kWrite);
  std::thread flusher([this] { parts_->CarryWrites(); });
  ASSERT_TRUE(parts_->device.AwaitHeld());
  std::thread appender([this] { EXPECT_TRUE(parts_->Append(3 * 4096).ok()); });
  std::this_thread::sleep_for(std::chrono::milliseconds(40));  // a slow device
  parts_->device.Release();
  flusher.join();
  appender.join();
  EXPECT_EQ(asked, std::vector<FlushPipeline::Relief>{FlushPipeline::Relief::kOutruns});
  EXPECT_FALSE(parts_->tail.hot());
  parts_->CarryWrites();
  EXPECT_EQ(
      FirstDifference(parts_->device.Content(), StreamBytes(0, parts_->device.Content().size())),
      "");
  EXPECT_EQ(parts_->device.Violations(), "");
}

TEST_F(FlushPipelineTest, ExactWritesLeaveTheSizeToTheBytes) {
  pipeline_.AllowWrites(FlushPipeline::Gate::kCold);
  Seal(2);
  parts_->CarryWrites();
  EXPECT_EQ(parts_->device.Count(DeviceCall::kSetSize), 0U);
  EXPECT_EQ(FirstDifference(parts_->device.Content(), StreamBytes(0, 8192)), "");
}

TEST_F(FlushPipelineTest, WhileTheDeviceSyncsTheFlusherGoesOn) {
  std::thread syncing;
  HoldASync(&syncing);
  Seal(3);
  parts_->CarryWrites();
  EXPECT_EQ(pipeline_.hi_stable(), 12288U);
  parts_->device.Release();
  syncing.join();
  EXPECT_EQ(pipeline_.durable(), 100U) << "what came meanwhile is not covered";
  ASSERT_TRUE(pipeline_.SyncWritten().ok());
  EXPECT_EQ(pipeline_.durable(), 100U) << "it vouches for the device, not for what was in doubt";
  ASSERT_TRUE(parts_->tail.Sync().ok());
  EXPECT_EQ(pipeline_.durable(), 12289U);
}

TEST_F(FlushPipelineTest, ASyncThatEndsLeavesExclusiveAccessToWhoHasTakenItMeanwhile) {
  std::thread syncing;
  HoldASync(&syncing);
  const FlushPipeline::Exclusive holder(&pipeline_);
  parts_->device.Release();
  syncing.join();
  EXPECT_FALSE(FlushPipeline::Exclusive::Try(&pipeline_).valid());
}

TEST_F(FlushPipelineTest, OneSyncOfTheDeviceAtATime) {
  std::thread first;
  HoldASync(&first);
  ASSERT_TRUE(parts_->Append(100).ok());
  std::thread second([this] { EXPECT_TRUE(parts_->tail.Sync().ok()); });
  std::thread third([this] { EXPECT_TRUE(pipeline_.SyncWritten().ok()); });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // a broken one would sync now
  EXPECT_EQ(parts_->device.Count(DeviceCall::kSync), 1U);
  parts_->device.Release();
  for (std::thread* thread : {&first, &second, &third}) {
    thread->join();
  }
  EXPECT_EQ(pipeline_.durable(), 200U);
}

TEST_F(FlushPipelineTest, WhatASyncHasWrittenIsNotWrittenAgain) {
  Seal(2);
  ASSERT_TRUE(parts_->tail.Sync().ok());
  pipeline_.AllowWrites(FlushPipeline::Gate::kHot);
  EXPECT_TRUE(NextWrites().empty());
  EXPECT_EQ(parts_->device.Trace({DeviceCall::kWrite}), Lines({"write 0+8193 plain"}));
}

}  // namespace
}  // namespace lss
