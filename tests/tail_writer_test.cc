#include "lss/stream/tail_writer.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/tail_writer_fixture.h"

namespace lss {
namespace {

// --- cold ---

TEST_F(TailWriterTest, AColdSyncWritesExactlyTheBytesAndSyncs) {
  Append(100);
  Sync();
  Append(5000);
  Sync();
  EXPECT_EQ(Trace(), Lines({"write 0+100 plain", "sync", "write 100+5000 plain", "sync"}));
  EXPECT_EQ(device_.Content(), StreamBytes(0, 5100));
  EXPECT_EQ(parts_->pipeline.durable(), 5100U);
}

TEST_F(TailWriterTest, ASyncWithNothingNewDoesNothing) {
  Append(100);
  Sync();
  device_.ForgetEvents();
  Sync();
  EXPECT_TRUE(Trace().empty());
  EXPECT_EQ(tail_.sync_count(), 2U);
}

TEST_F(TailWriterTest, AColdFinishLeavesTheExactBytesWithoutWaitingForTheDevice) {
  Append(5000);
  ASSERT_TRUE(tail_.Finish().ok());
  EXPECT_EQ(device_.Content(), StreamBytes(0, 5000));
  EXPECT_EQ(device_.Count(DeviceCall::kSync), 0U);
}

// --- hot ---

TEST_F(TailWriterTest, AHotSyncIsOneDurableWriteOfWholePages) {
  MakeHot();
  Append(100);
  Sync();
  Append(4000);
  Sync();
  Append(4092);
  Sync();
  EXPECT_EQ(Trace(),
            Lines({"write 0+4096 durable", "write 0+8192 durable", "write 4096+4096 durable"}));
  EXPECT_EQ(FirstDifference(device_.PowerCut(Survivors::kSyncedOnly).substr(0, 8192),
                            StreamBytes(0, 8192)),
            "");
}

TEST_F(TailWriterTest, BehindTheTailOfAHotSyncAreZerosAndNoOldBytes) {
  MakeHot();
  Append(16384);  // every buffer has had other bytes
  parts_->CarryWrites();
  Append(5000);
  Sync();
  EXPECT_EQ(FirstDifference(device_.Content().substr(0, 24576),
                            StreamBytes(0, 21384) + std::string(3192, '\0')),
            "");
}

TEST_F(TailWriterTest, MakeHotAfterTheEndHasNoEffect) {
  Append(100);
  ASSERT_TRUE(tail_.Finish().ok());
  tail_.MakeHot();
  EXPECT_FALSE(tail_.hot());
  EXPECT_EQ(device_.Content(), StreamBytes(0, 100));
}

TEST_F(TailWriterTest, AHotFinishCutsTheFileToItsBytes) {
  MakeHot();
  Append(5000);
  ASSERT_TRUE(tail_.Finish().ok());
  EXPECT_EQ(device_.Content(), StreamBytes(0, 5000));
  EXPECT_FALSE(device_.bypasses_cache());
  EXPECT_EQ(device_.Count(DeviceCall::kSync), 0U) << "a close does not wait for the device";
}

TEST_F(TailWriterTest, AFileSystemWithoutDirectIoStaysBuffered) {
  device_.RefuseDirect();
  MakeHot();
  EXPECT_FALSE(device_.bypasses_cache());
  Append(5000);
  Sync();
  EXPECT_EQ(device_.PowerCut(Survivors::kSyncedOnly).substr(0, 5000), StreamBytes(0, 5000));
}

// --- traps ---

// Trap 8: while the device reads the page, the appender goes on in the ring's page.
TEST_F(TailWriterTest, Trap08_TheTailPageIsWrittenFromAPrivateCopy) {
  MakeHot();
  Append(5000);
  for (int i = 0; i < 3; ++i) {
    device_.Hold(DeviceCall::kWrite);
    std::thread syncing([this] { EXPECT_TRUE(tail_.Sync().ok()); });
    ASSERT_TRUE(device_.AwaitHeld());
    Append(700);  // into the page that is being written
    device_.Release();
    syncing.join();
  }
  Sync();
  EXPECT_EQ(device_.Content().substr(0, 7100), StreamBytes(0, 7100));
  EXPECT_EQ(device_.Violations(), "");
}

// Trap 8: a sealed buffer is on its way, and a sync wants to write the same page.
TEST_F(TailWriterTest, Trap08_TwoImagesOfOnePageAreNeverInFlightTogether) {
  MakeHot();
  Append(100);
  Sync();
  Append(8192);  // seals buffers 0 and 1, holds them back for the sync
  Append(4096);  // half of the ring: they go
  device_.Hold(DeviceCall::kWrite);
  std::thread flusher([this] { parts_->CarryWrites(); });
  ASSERT_TRUE(device_.AwaitHeld());
  std::thread syncing([this] { EXPECT_TRUE(tail_.Sync().ok()); });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // a broken sync would write now
  device_.Release();
  flusher.join();
  syncing.join();
  EXPECT_EQ(device_.Violations(), "");
  EXPECT_EQ(parts_->pipeline.durable(), 12388U);
}

// Trap 13: with FUA a durable write vouches for its own bytes only.
TEST_F(TailWriterTest, Trap13_AfterPlainWritesASyncIsAFullSync) {
  MakeHot();
  Append(8192 + 10);
  parts_->CarryWrites();
  Sync();
  EXPECT_EQ(Trace(), Lines({"write 0+8192 plain", "write 8192+4096 plain", "sync"}));
  Append(10);
  Sync();
  EXPECT_EQ(Trace().back(), "write 8192+4096 durable") << "nothing else is pending now";
  EXPECT_EQ(device_.PowerCut(Survivors::kSyncedOnly).substr(0, 8212), StreamBytes(0, 8212));
}

TEST_F(TailWriterTest, Trap13_AnIdleWriteOutIsAPlainWriteToo) {
  MakeHot();
  Append(10);
  TickUntilDue();
  Append(10);
  Sync();
  EXPECT_EQ(Trace(), Lines({"write 0+4096 plain", "write 0+4096 plain", "sync"}));
}

TEST_F(TailWriterTest, Trap13_WhenEverythingIsWrittenASyncStillSyncs) {
  MakeHot();
  Append(4096);
  Append(1);
  parts_->CarryWrites();
  TickUntilDue();
  Sync();
  EXPECT_EQ(Trace(), Lines({"write 0+4096 plain", "write 4096+4096 plain", "sync"}));
}

TEST_F(TailWriterTest, Trap11_AFailedTailWriteIsFinal) {
  MakeHot();
  Append(100);
  device_.Fail({DeviceCall::kWrite, EIO});
  EXPECT_EQ(tail_.Sync().code(), Status::Code::kIoError);
  EXPECT_EQ(tail_.Sync().code(), Status::Code::kIoError);
  EXPECT_EQ(tail_.Settle().code(), Status::Code::kIoError);
  EXPECT_EQ(tail_.Finish().code(), Status::Code::kIoError);
  TickUntilDue();
  EXPECT_EQ(device_.Count(DeviceCall::kWrite), 1U);
  EXPECT_EQ(device_.Count(DeviceCall::kSync), 0U);
  EXPECT_EQ(parts_->pipeline.durable(), 0U);
}

TEST_F(TailWriterTest, Trap11_AFailedIdleWriteOutIsFinalToo) {
  Append(100);
  device_.Fail({DeviceCall::kWrite, EIO});
  TickUntilDue();
  EXPECT_EQ(tail_.Sync().code(), Status::Code::kIoError);
  EXPECT_EQ(device_.Count(DeviceCall::kSync), 0U);
}

TEST_F(TailWriterTest, Trap11_ASyncBehindTheEndIsSharedWithWhoStillWaits) {
  MakeHot();
  Append(100);
  ASSERT_TRUE(tail_.Finish().ok());
  device_.Fail({DeviceCall::kSync, EIO});
  EXPECT_EQ(tail_.SyncFinished().code(), Status::Code::kIoError);
  EXPECT_EQ(tail_.Sync().code(), Status::Code::kIoError)
      << "the kernel has told of the lost bytes, and will not again";
}

// --- what passes ---

TEST_F(TailWriterTest, WhatPassesLosesNothingWhoeverMetIt) {
  for (const bool hot : {false, true}) {
    if (hot) {
      MakeHot();
    }
    for (const int error : {ENOSPC, EDQUOT, ENOMEM}) {
      Append(100);
      device_.Fail({DeviceCall::kWrite, error, 0, 4});
      for (int looks = 0; looks < 3; ++looks) {
        tail_.Tick();
      }
      EXPECT_EQ(tail_.Settle().error_number(), error);
      while (!tail_.Sync().ok()) {
      }
      EXPECT_FALSE(parts_->pipeline.failed());
      EXPECT_EQ(parts_->pipeline.durable(), parts_->end());
    }
  }
  EXPECT_EQ(device_.PowerCut(Survivors::kSyncedOnly).substr(0, 600), StreamBytes(0, 600));
}

// The kernel may have dropped what it had no room for, and says so once: a sync that merely came
// again would lie.
TEST_F(TailWriterTest, AfterASyncWithoutRoomTheBytesAreWrittenAgain) {
  Append(5000);
  device_.Fail({DeviceCall::kSync, ENOSPC});
  EXPECT_EQ(tail_.Sync().code(), Status::Code::kNoSpace);
  Append(100);
  device_.ForgetEvents();
  Sync();
  EXPECT_EQ(Trace(),
            Lines({"write 0+4096 plain", "write 4096+904 plain", "write 5000+100 plain", "sync"}));
  device_.ForgetEvents();
  Append(100);
  Sync();
  EXPECT_EQ(Trace(), Lines({"write 5100+100 plain", "sync"})) << "once";
}

TEST_F(TailWriterTest, ASyncWithoutRoomIsFinalWhereTheRingHasGoneOn) {
  MakeHot();
  Append(8192);
  parts_->CarryWrites();
  device_.Fail({DeviceCall::kSync, ENOSPC});
  EXPECT_EQ(tail_.Sync().code(), Status::Code::kNoSpace);
  Append(16384);  // over what was in doubt
  parts_->CarryWrites();
  device_.ForgetEvents();
  EXPECT_EQ(tail_.Sync().code(), Status::Code::kNoSpace);
  EXPECT_TRUE(parts_->pipeline.failed());
  EXPECT_EQ(device_.Count(DeviceCall::kSync), 0U);
}

// No descriptor is left to sync the ring's directory with.
TEST_F(TailWriterTest, WhatCannotBeHotNowIsWrittenColdAndTurnsHotLater) {
  const rlim_t before = RefuseDescriptors();
  tail_.MakeHot();
  AllowDescriptors(before);
  EXPECT_FALSE(tail_.hot());
  EXPECT_FALSE(parts_->pipeline.failed());
  Append(8193);
  parts_->CarryWrites();
  EXPECT_EQ(device_.Content(), StreamBytes(0, 8192)) << "as stock would, and nothing behind it";
  Sync();
  EXPECT_EQ(parts_->pipeline.durable(), 8193U);
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));  // not asked at every turn
  tail_.MakeHot();
  EXPECT_TRUE(tail_.hot());
  Append(1);
  Sync();
  EXPECT_EQ(device_.PowerCut(Survivors::kSyncedOnly).substr(0, 8194), StreamBytes(0, 8194));
}

// --- the process's size limit ---

TEST_F(TailWriterTest, ATailInThePageOfTheSizeLimitIsWrittenExactly) {
  device_.LimitSize(10000);
  MakeHot();
  Append(9000);
  Sync();
  Append(1000);
  Sync();
  ASSERT_TRUE(tail_.Settle().ok());
  EXPECT_EQ(device_.Content(), StreamBytes(0, 10000));
  EXPECT_EQ(device_.PowerCut(Survivors::kSyncedOnly), StreamBytes(0, 10000));
  EXPECT_FALSE(parts_->Append(1).ok());
}

// Traps 9 and 13 as a user sees them: whatever the disk's cache drops, what was acknowledged is
// there. Appends, flushed buffers, idle write-outs and syncs at random, cold and hot.
TEST_F(TailWriterTest, SyncedBytesSurviveEveryPowerCut) {
  std::mt19937_64 random(7);
  for (int step = 0; step < 600; ++step) {
    if (step == 100) {
      tail_.MakeHot();
    }
    switch (random() % 6) {
      case 0:
        parts_->CarryWrites();
        break;
      case 1:
        tail_.Tick();
        break;
      case 2:
        Sync();
        break;
      case 3:
        if (random() % 8 == 0) {  // a burst, and its end
          if (tail_.hot()) {
            (void)tail_.Relieve(FlushPipeline::Relief::kOutruns);
          } else if (step > 100) {
            tail_.MakeHot();
          }
          break;
        }
        [[fallthrough]];
      default:
        // What is left must fit, or this thread would wait for itself.
        if (parts_->pipeline.hi_stable() + 8192 > parts_->end()) {
          Append(1 + random() % 3000);
        }
    }
    const Address durable = parts_->pipeline.durable();
    const std::string expected = StreamBytes(0, durable);
    ASSERT_EQ(
        FirstDifference(device_.PowerCut(Survivors::kRandomSubset, random()).substr(0, durable),
                        expected),
        "")
        << "step " << step;
    ASSERT_EQ(
        FirstDifference(device_.PowerCut(Survivors::kSyncedOnly).substr(0, durable), expected), "")
        << "step " << step;
  }
  EXPECT_GT(parts_->pipeline.durable(), 100000U) << "the test did not get anywhere";
}

}  // namespace
}  // namespace lss
