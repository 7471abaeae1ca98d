#include "lss/stream/tail_writer.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <chrono>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/store_parts.h"
#include "tests/support/stream_bytes.h"
#include "tests/support/temp_dir.h"

namespace lss {
namespace {

using test::DeviceCall;
using test::FirstDifference;
using test::Lines;
using test::StoreParts;
using test::StreamBytes;
using test::Survivors;

int64_t ModifiedNs(const std::string& path) {
  struct stat st = {};
  EXPECT_EQ(stat(path.c_str(), &st), 0);
  return st.st_mtim.tv_sec * 1'000'000'000 + st.st_mtim.tv_nsec;
}

class TailWriterTest : public testing::Test {
 protected:
  explicit TailWriterTest(StoreOptions options = test::SmallOptions())
      : parts_(StoreParts::Make(directory_.path(), options)),
        device_(parts_->device),
        tail_(parts_->tail) {}
  ~TailWriterTest() override { EXPECT_EQ(device_.Violations(), ""); }

  void Append(size_t length) { ASSERT_TRUE(parts_->Append(length).ok()); }
  void Sync() { ASSERT_TRUE(tail_.Sync().ok()); }
  // Hot, with the file's size out of the way of the traces.
  void MakeHot() {
    tail_.MakeHot();
    ASSERT_TRUE(tail_.hot());
    ASSERT_TRUE(parts_->space.EnsureAllocated(1).ok());
    parts_->space.PrepareForWrite(1);
    device_.ForgetEvents();
  }
  // As often as it takes for a byte that came before to be written out.
  void TickUntilDue() {
    for (int i = 0; i < 3; ++i) {
      tail_.Tick();
    }
  }
  std::vector<std::string> Trace() const {
    return device_.Trace({DeviceCall::kWrite, DeviceCall::kSync, DeviceCall::kSetSize});
  }
  // From here on every open of this process fails with EMFILE.
  static rlim_t RefuseDescriptors() {
    rlimit limit = {};
    getrlimit(RLIMIT_NOFILE, &limit);
    const rlimit none = {0, limit.rlim_max};
    setrlimit(RLIMIT_NOFILE, &none);
    return limit.rlim_cur;
  }
  static void AllowDescriptors(rlim_t count) {
    rlimit limit = {};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = count;
    setrlimit(RLIMIT_NOFILE, &limit);
  }

  bloom_lfs::test::TempDir directory_;
  std::shared_ptr<StoreParts> parts_;
  test::MemoryDevice& device_;
  TailWriter& tail_;
};

// --- cold
// -----------------------------------------------------------------------------------------

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

// --- hot
// ------------------------------------------------------------------------------------------

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

// --- traps
// ----------------------------------------------------------------------------------------

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

// --- what passes
// ----------------------------------------------------------------------------------

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

// --- the process's size limit
// ---------------------------------------------------------------------

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

// --- idle
// -----------------------------------------------------------------------------------------

TEST_F(TailWriterTest, AnIdleTailIsWrittenOutOnceAndNotSynced) {
  Append(100);
  Sync();
  Append(100);
  device_.ForgetEvents();
  tail_.Tick();
  tail_.Tick();
  EXPECT_TRUE(Trace().empty()) << "two quarters of the bound may have passed, or only one";
  tail_.Tick();
  EXPECT_EQ(Trace(), Lines({"write 100+100 plain"}));
  TickUntilDue();
  EXPECT_EQ(Trace().size(), 1U);
}

TEST_F(TailWriterTest, ATrickleIsWrittenOutWhileItGoesOn) {
  MakeHot();
  for (int i = 0; i < 9; ++i) {
    Append(10);
    tail_.Tick();
    EXPECT_GE(parts_->pipeline.hi_stable() + 20, parts_->end()) << "tick " << i;
  }
  EXPECT_EQ(device_.Count(DeviceCall::kWrite), 3U) << "and not more often than it must be";
}

// A page of the ring that the kernel has written back is written back again after any store to it,
// be it the same bytes, and so for ever.
TEST_F(TailWriterTest, AnIdleStreamStoresNothingIntoItsRing) {
  MakeHot();
  Append(100);
  TickUntilDue();
  const auto written_back = [this] {
    EXPECT_EQ(
        msync(parts_->memory->header(),
              RingFileBytes(parts_->options.buffer_bytes, parts_->options.buffer_count), MS_SYNC),
        0);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));  // the clock of time stamps
    return ModifiedNs(parts_->memory->path());
  };
  int64_t before = written_back();
  TickUntilDue();
  EXPECT_EQ(ModifiedNs(parts_->memory->path()), before);

  before = written_back();
  Append(1);
  if (ModifiedNs(parts_->memory->path()) == before) {
    GTEST_SKIP() << "no time stamp tells of stores to a mapping here";
  }
}

TEST_F(TailWriterTest, AnIdleWriteOutKeepsOutOfTheWay) {
  Append(100);
  {
    const FlushPipeline::Exclusive somebody_writes(&parts_->pipeline);
    TickUntilDue();
    EXPECT_EQ(device_.Count(DeviceCall::kWrite), 0U);
  }
  tail_.Tick();
  EXPECT_EQ(device_.Count(DeviceCall::kWrite), 1U) << "but does not wait for another three looks";
}

// --- settle
// ---------------------------------------------------------------------------------------

TEST_F(TailWriterTest, SettleBringsTheFileToItsBytesAndTheStreamGoesOn) {
  Append(5000);
  ASSERT_TRUE(tail_.Settle().ok());
  EXPECT_EQ(device_.Content(), StreamBytes(0, 5000)) << "cold";
  MakeHot();
  Append(3000);
  Sync();
  ASSERT_TRUE(tail_.Settle().ok());
  EXPECT_EQ(device_.Content(), StreamBytes(0, 8000)) << "hot";
  Append(3000);
  ASSERT_TRUE(tail_.Finish().ok());
  EXPECT_EQ(device_.Content(), StreamBytes(0, 11000));
}

// An append has filled a buffer and not come to its end; the buffer is in the file. Cutting to the
// committed length would take bytes that nobody will write again.
TEST_F(TailWriterTest, SettleCutsNothingThatTheWatermarkCounts) {
  MakeHot();
  Append(4000);
  ASSERT_TRUE(parts_->CopyIn(200).ok());
  parts_->CarryWrites();
  ASSERT_EQ(parts_->pipeline.hi_stable(), 4096U);
  ASSERT_TRUE(tail_.Settle().ok());
  parts_->Commit();
  ASSERT_TRUE(tail_.Finish().ok());
  EXPECT_EQ(FirstDifference(device_.Content(), StreamBytes(0, 4200)), "");
}

// --- the page cache instead of waiting
// -----------------------------------------------------------------------------------------

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

class TailLocalizedTailWriterTest : public TailWriterTest {
 protected:
  TailLocalizedTailWriterTest()
      : TailWriterTest(test::SmallOptions(WriteMode::kTailLocalizedWrites)) {}
};

// The same with an island: buffer 1 is in the file, a writer is still inside buffer 0.
TEST_F(TailLocalizedTailWriterTest, SettleCutsNoIslandOff) {
  MakeHot();
  const FlushBufferRing::Cursor first = parts_->ring.current();
  FlushBuffer& slow = parts_->ring.buffer(first.index);
  ASSERT_TRUE(slow.Reserve(4096, first.generation).reserved);
  ASSERT_EQ(slow.Seal(first.generation), FlushDuty::kNone);
  ASSERT_TRUE(parts_->ring.Rotate(first.sequence, &parts_->pipeline).ok());

  const FlushBufferRing::Cursor second = parts_->ring.current();
  FlushBuffer& quick = parts_->ring.buffer(second.index);
  ASSERT_TRUE(quick.Reserve(4096, second.generation).reserved);
  std::memcpy(quick.data(), StreamBytes(4096, 4096).data(), 4096);
  ASSERT_EQ(quick.Leave(), FlushDuty::kNone);
  ASSERT_EQ(quick.Seal(second.generation), FlushDuty::kMustFlush);
  parts_->pipeline.OnSealed(parts_->ring.TakeSealed(second));
  parts_->CarryWrites();
  ASSERT_EQ(parts_->pipeline.island_count(), 1U);

  ASSERT_TRUE(tail_.Settle().ok());

  std::memcpy(slow.data(), StreamBytes(0, 4096).data(), 4096);
  ASSERT_EQ(slow.Leave(), FlushDuty::kMustFlush);
  parts_->pipeline.OnSealed(parts_->ring.TakeSealed(first));
  parts_->CarryWrites();
  ASSERT_EQ(parts_->pipeline.hi_stable(), 8192U);
  EXPECT_EQ(FirstDifference(device_.Content().substr(0, 8192), StreamBytes(0, 8192)), "");
}

}  // namespace
}  // namespace lss
