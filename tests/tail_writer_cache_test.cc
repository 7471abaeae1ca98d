// A TailWriter that goes through the page cache instead of waiting for its device.
#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "tests/support/tail_writer_fixture.h"

namespace lss {
namespace {

// --- the page cache instead of waiting ---

TEST_F(TailWriterTest, AColdStreamIsRelievedThroughThePageCacheUpToItsSealedBuffers) {
  Append(4096 + 4096 + 100);
  EXPECT_FALSE(tail_.Relieve(FlushPipeline::Relief::kCold));
  EXPECT_EQ(Trace(), Lines({"write 0+8192 plain"}));
  EXPECT_FALSE(tail_.hot());
  EXPECT_EQ(parts_->pipeline.hi_stable(), 8192U);
}

TEST_F(TailWriterTest, AHotStreamThatOutrunsTheDeviceBecomesColdAndExact) {
  MakeHot();
  Append(100);
  Sync();
  Append(4096 + 4096);
  device_.ForgetEvents();
  EXPECT_TRUE(tail_.Relieve(FlushPipeline::Relief::kOutruns));
  EXPECT_EQ(Trace(), Lines({"size 100", "write 0+8192 plain"}))
      << "the cut first, then whole pages";
  EXPECT_FALSE(tail_.hot());
  EXPECT_FALSE(device_.bypasses_cache());
  EXPECT_TRUE(parts_->pipeline.through_cache());
  EXPECT_EQ(FirstDifference(device_.Content(), StreamBytes(0, 8192)), "");

  Append(8192);
  parts_->CarryWrites();
  EXPECT_EQ(FirstDifference(device_.Content(), StreamBytes(0, 16384)), "")
      << "nothing behind the tail from here on";
  Append(10);
  Sync();
  EXPECT_EQ(FirstDifference(device_.Content(), StreamBytes(0, 16494)), "");
  EXPECT_EQ(FirstDifference(device_.PowerCut(Survivors::kSyncedOnly), StreamBytes(0, 16494)), "");
  ASSERT_TRUE(tail_.Finish().ok());
  EXPECT_EQ(FirstDifference(device_.Content(), StreamBytes(0, 16494)), "");
}

TEST_F(TailWriterTest, AHotStreamIsNotRelievedOfWhatItDoesNotOutrun) {
  MakeHot();
  Append(4096 + 1);
  EXPECT_FALSE(tail_.Relieve(FlushPipeline::Relief::kCold)) << "it has turned hot meanwhile";
  EXPECT_TRUE(Trace().empty());
  EXPECT_TRUE(tail_.hot());
}

TEST_F(TailWriterTest, AStreamThatWasHotLeavesZerosUntilItsCutIsOnTheDevice) {
  EXPECT_FALSE(tail_.leaves_zeros());
  MakeHot();
  EXPECT_TRUE(tail_.leaves_zeros());
  Append(8192 + 1);
  tail_.SyncCut();
  EXPECT_TRUE(tail_.leaves_zeros()) << "not while it is hot";
  ASSERT_TRUE(tail_.Relieve(FlushPipeline::Relief::kOutruns));
  EXPECT_TRUE(tail_.leaves_zeros());
  tail_.SyncCut();
  EXPECT_FALSE(tail_.leaves_zeros());
  EXPECT_EQ(FirstDifference(device_.PowerCut(Survivors::kSyncedOnly), StreamBytes(0, 8192)), "");
  EXPECT_EQ(parts_->pipeline.durable(), 0U) << "only the stream's own sync vouches for its bytes";
}

TEST_F(TailWriterTest, ACutThatCannotBeSyncedIsLeftToTheClose) {
  for (const DeviceCall call : {DeviceCall::kOpenAside, DeviceCall::kSyncAside}) {
    MakeHot();
    Append(8192 + 1);
    ASSERT_TRUE(tail_.Relieve(FlushPipeline::Relief::kOutruns));
    device_.Fail({call, EIO});
    tail_.SyncCut();
    EXPECT_TRUE(tail_.leaves_zeros());
    EXPECT_TRUE(tail_.Sync().ok()) << "the kernel tells the stream's own way of what went wrong";
  }
}

TEST_F(TailWriterTest, AStreamThatIsOutrunWhileTheDiskIsFullLosesNothing) {
  MakeHot();
  Append(8192 + 1);
  device_.Fail({DeviceCall::kWrite, ENOSPC});
  ASSERT_TRUE(tail_.Relieve(FlushPipeline::Relief::kOutruns));
  EXPECT_FALSE(parts_->pipeline.failed());
  EXPECT_EQ(parts_->pipeline.hi_stable(), 0U);
  Append(10);
  Sync();
  EXPECT_EQ(FirstDifference(device_.PowerCut(Survivors::kSyncedOnly), StreamBytes(0, 8203)), "");
}

TEST_F(TailWriterTest, ABurstThatFollowsAFailedSyncWritesAgainWhatIsInDoubt) {
  MakeHot();
  Append(4096 + 1);
  parts_->CarryWrites();
  device_.Fail({DeviceCall::kSync, ENOSPC});
  ASSERT_FALSE(tail_.Sync().ok());
  device_.ForgetEvents();
  ASSERT_TRUE(tail_.Relieve(FlushPipeline::Relief::kOutruns));
  EXPECT_EQ(device_.Trace({DeviceCall::kWrite}),
            Lines({"write 0+4096 plain", "write 4096+1 plain"}));
}

TEST_F(TailWriterTest, AStreamTurnsHotAgainAfterABurst) {
  MakeHot();
  Append(8192 + 1);
  ASSERT_TRUE(tail_.Relieve(FlushPipeline::Relief::kOutruns));
  Append(4096);
  tail_.MakeHot();
  EXPECT_TRUE(tail_.hot());
  EXPECT_TRUE(device_.bypasses_cache());
  EXPECT_FALSE(parts_->pipeline.through_cache());
  parts_->CarryWrites();
  Sync();
  Append(10);
  device_.ForgetEvents();
  Sync();
  EXPECT_EQ(Trace(), Lines({"write 12288+4096 durable"}));
  EXPECT_EQ(FirstDifference(device_.PowerCut(Survivors::kSyncedOnly).substr(0, 12299),
                            StreamBytes(0, 12299)),
            "");
}

// Trap 13: what completes while the device syncs is not covered by that sync.
TEST_F(TailWriterTest, Trap13_WhatIsWrittenDuringASyncIsLeftToTheNext) {
  parts_->pipeline.AllowWrites(FlushPipeline::Gate::kCold);
  Append(100);
  device_.Hold(DeviceCall::kSync);
  std::thread syncing([this] { EXPECT_TRUE(tail_.Sync().ok()); });
  ASSERT_TRUE(device_.AwaitHeld());
  Append(8192);
  { const FlushPipeline::Exclusive while_it_syncs(&parts_->pipeline); }
  tail_.Relieve(FlushPipeline::Relief::kCold);
  EXPECT_EQ(parts_->pipeline.hi_stable(), 8192U) << "others write while the device syncs";
  device_.Release();
  syncing.join();
  EXPECT_EQ(parts_->pipeline.durable(), 100U);
  EXPECT_TRUE(parts_->pipeline.plain_writes_unsynced());
  Sync();
  EXPECT_FALSE(parts_->pipeline.plain_writes_unsynced());
  EXPECT_EQ(parts_->pipeline.durable(), 8292U);
}

}  // namespace
}  // namespace lss
