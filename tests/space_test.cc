#include "lss/stream/space.h"

#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/aligned_memory.h"
#include "tests/support/memory_device.h"
#include "tests/support/store_parts.h"

namespace lss {
namespace {

using test::DeviceCall;
using test::Lines;
using test::MemoryDevice;
using test::Survivors;

constexpr uint64_t kKiB = 1024;
constexpr uint64_t kStep = 64 * kKiB;
constexpr std::chrono::seconds kPatience(20);

class SpaceTest : public testing::Test {
 protected:
  // Shared, because the test of a deadlock leaves threads behind when it fails.
  struct Parts {
    explicit Parts(uint64_t frontier_bytes) : space(&device, Options(frontier_bytes)) {}
    static StoreOptions Options(uint64_t frontier_bytes) {
      StoreOptions options = test::SmallOptions();
      options.frontier_bytes = frontier_bytes;
      return options;
    }
    MemoryDevice device;
    Space space;
  };

  explicit SpaceTest(uint64_t frontier_bytes = 1024 * kKiB)
      : parts_(std::make_shared<Parts>(frontier_bytes)),
        device_(parts_->device),
        space_(parts_->space) {}

  void ZeroAhead(Address appended_end) {
    space_.ZeroAhead([appended_end] { return appended_end; });
  }
  std::vector<std::string> Trace() const {
    return device_.Trace({DeviceCall::kWrite, DeviceCall::kSync, DeviceCall::kSyncAside,
                          DeviceCall::kAllocate, DeviceCall::kSetSize});
  }

  std::shared_ptr<Parts> parts_;
  MemoryDevice& device_;
  Space& space_;
};

// --- allocation ---

TEST_F(SpaceTest, BlocksAreTakenByTheStep) {
  ASSERT_TRUE(space_.EnsureAllocated(1).ok());
  ASSERT_TRUE(space_.EnsureAllocated(kStep).ok());
  EXPECT_EQ(Trace(), Lines({"allocate 0+65536"}));
  ASSERT_TRUE(space_.EnsureAllocated(kStep + 1).ok());
  ASSERT_TRUE(space_.EnsureAllocated(5 * kStep + 1).ok());
  EXPECT_EQ(Trace(), Lines({"allocate 0+65536", "allocate 65536+65536", "allocate 131072+200704"}));
  EXPECT_EQ(space_.allocated(), 5 * kStep + 4096);
}

TEST_F(SpaceTest, ANearlyFullDiskGivesWhatIsNeededAndNoMore) {
  device_.LimitSpace(20 * kKiB);
  EXPECT_TRUE(space_.EnsureAllocated(18 * kKiB).ok());
  EXPECT_EQ(space_.allocated(), 20 * kKiB);
  EXPECT_EQ(space_.EnsureAllocated(21 * kKiB).code(), Status::Code::kNoSpace);
  EXPECT_EQ(space_.allocated(), 20 * kKiB);
  device_.LimitSpace(UINT64_MAX);
  EXPECT_TRUE(space_.EnsureAllocated(21 * kKiB).ok()) << "space came back";
}

TEST_F(SpaceTest, AHintIsTakenLiterally) {
  ASSERT_TRUE(space_.Reserve(0, 300 * kKiB).ok());
  ASSERT_TRUE(space_.EnsureAllocated(299 * kKiB).ok());
  ASSERT_TRUE(space_.Reserve(100, 200).ok());
  EXPECT_EQ(Trace(), Lines({"allocate 0+307200"}));
}

// --- size ---

TEST_F(SpaceTest, TheSizeGoesToTheEndOfTheBlocksAtOnce) {
  ASSERT_TRUE(space_.EnsureAllocated(1).ok());
  space_.PrepareForWrite(1);
  space_.PrepareForWrite(kStep);
  EXPECT_EQ(Trace(), Lines({"allocate 0+65536", "size 65536"}));
  ASSERT_TRUE(space_.EnsureAllocated(kStep + 1).ok());
  space_.PrepareForWrite(kStep + 1);
  EXPECT_EQ(device_.Content().size(), 2 * kStep);
}

TEST_F(SpaceTest, WhereASizeCannotBeSetTheWriteGrowsTheFileAndTheNextOneTriesAgain) {
  device_.Fail({DeviceCall::kSetSize, EFBIG});
  space_.PrepareForWrite(4096);
  EXPECT_EQ(device_.Count(DeviceCall::kSetSize), 1U);
  space_.PrepareForWrite(4096);
  EXPECT_EQ(device_.Count(DeviceCall::kSetSize), 1U) << "no call more for what the write has done";
  space_.PrepareForWrite(4097);
  EXPECT_EQ(device_.Content().size(), 8192U);
}

// --- the process's size limit ---

TEST_F(SpaceTest, NothingIsAllocatedSizedOrZeroedBeyondTheSizeLimit) {
  device_.LimitSize(100 * kKiB + 100);
  EXPECT_TRUE(space_.EnsureAllocated(kStep + 1).ok());
  EXPECT_TRUE(space_.EnsureAllocated(100 * kKiB + 100).ok()) << "all that is allowed";
  EXPECT_EQ(space_.EnsureAllocated(100 * kKiB + 101).code(), Status::Code::kNoSpace);
  space_.PrepareForWrite(4096);
  EXPECT_EQ(device_.Content().size(), 100 * kKiB);
  ZeroAhead(0);
  EXPECT_EQ(space_.frontier(), 0U);
  EXPECT_TRUE(space_.MayWritePageOf(100 * kKiB));
  EXPECT_FALSE(space_.MayWritePageOf(100 * kKiB + 1)) << "its page ends beyond the limit";
  EXPECT_EQ(device_.Violations(), "");
}

TEST_F(SpaceTest, WhatKeepsADeviceFromAllocatingDoesNotKeepItFromWriting) {
  device_.Fail({DeviceCall::kAllocate, EIO});
  EXPECT_TRUE(space_.EnsureAllocated(1).ok());
}

TEST(SpaceWithoutAllocationTest, TakesNoBlocksAheadOfTheBytes) {
  StoreOptions options = test::SmallOptions();
  options.allocate_ahead = false;
  MemoryDevice device;
  Space space(&device, options);
  EXPECT_TRUE(space.EnsureAllocated(1).ok());
  EXPECT_TRUE(space.Reserve(0, 1 << 20).ok());
  space.PrepareForWrite(1);
  EXPECT_TRUE(space.CutTo(1).ok());
  EXPECT_EQ(device.Count(DeviceCall::kAllocate), 0U);
}

TEST_F(SpaceTest, FinishCutsToTheExactSizeOnlyWhereSomethingIsToCut) {
  ASSERT_TRUE(space_.Finish(0).ok());
  EXPECT_EQ(device_.Count(DeviceCall::kSetSize), 0U) << "an untouched file is left alone";
  ASSERT_TRUE(space_.EnsureAllocated(100).ok());
  space_.PrepareForWrite(100);
  space_.StopZeroing();
  ASSERT_TRUE(space_.Finish(100).ok());
  EXPECT_EQ(device_.Content().size(), 100U);
}

TEST_F(SpaceTest, FinishFreesBlocksThatWereAllocatedAndNeverUsed) {
  ASSERT_TRUE(space_.EnsureAllocated(100).ok());
  ASSERT_TRUE(space_.Finish(0).ok());
  EXPECT_EQ(device_.Count(DeviceCall::kSetSize), 1U);
}

// --- zeroed frontier ---

TEST_F(SpaceTest, TheFrontierIsZeroedAndSyncedBeforeItCounts) {
  ASSERT_TRUE(space_.FrontierDue(5000));
  EXPECT_FALSE(space_.FrontierDue(5000)) << "due once until it is done";
  device_.Hold(DeviceCall::kSyncAside);
  std::thread zeroing([this] { ZeroAhead(5000); });
  EXPECT_TRUE(device_.AwaitHeld());
  EXPECT_EQ(space_.frontier(), 0U) << "written, but not on the device yet";
  device_.Release();
  zeroing.join();
  EXPECT_EQ(space_.frontier(), 8192 + 256 * kKiB);
  EXPECT_EQ(Trace(),
            Lines({"allocate 0+270336", "size 270336", "write 8192+262144 plain", "sync aside"}));
  EXPECT_FALSE(space_.FrontierDue(5000));
  EXPECT_EQ(device_.Violations(), "");
}

// A sync inside the frontier changes no metadata: size and blocks are on the device already.
TEST_F(SpaceTest, BehindTheFrontierAPowerCutFindsSizeAndZeros) {
  ZeroAhead(0);
  EXPECT_EQ(device_.PowerCut(Survivors::kSyncedOnly), std::string(space_.frontier(), '\0'));
  space_.PrepareForWrite(4096);
  EXPECT_EQ(device_.Count(DeviceCall::kSetSize), 1U);
}

TEST_F(SpaceTest, ZerosNeverMeetData) {
  ASSERT_TRUE(space_.FrontierDue(4096));
  device_.Hold(DeviceCall::kWrite);
  std::thread zeroing([this] { ZeroAhead(4096); });
  EXPECT_TRUE(device_.AwaitHeld());
  // Below the chunk that is being zeroed: goes on. Into it: waits.
  space_.PrepareForWrite(4096);
  const test::AlignedMemory data(std::string(4096, 'd'));
  std::thread writer([this, &data] {
    space_.PrepareForWrite(4096 + 1);
    EXPECT_TRUE(device_.Write({{data.data(), data.size()}}, 4096, WriteKind::kPlain).ok());
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // gives a broken wait its chance
  device_.Release();
  zeroing.join();
  writer.join();
  EXPECT_EQ(device_.Violations(), "") << "data and zeros in flight together";
  EXPECT_EQ(device_.Content().substr(4096, 4096), std::string(4096, 'd'));
  EXPECT_EQ(Trace().back(), "write 4096+4096 plain") << "the data comes after the zeros' sync";
}

TEST_F(SpaceTest, AFullDiskMeansNoFrontierAndNoError) {
  device_.LimitSpace(64 * kKiB);
  ASSERT_TRUE(space_.FrontierDue(0));
  ZeroAhead(0);
  EXPECT_EQ(space_.frontier(), 0U);
  EXPECT_EQ(device_.Count(DeviceCall::kWrite), 0U);
  EXPECT_FALSE(space_.FrontierDue(0)) << "not with every sync";
}

// --- zeroing that fails ---

TEST_F(SpaceTest, Trap11_ZerosAreSyncedOnAWayOfTheirOwn) {
  ZeroAhead(0);
  EXPECT_GT(space_.frontier(), 0U);
  EXPECT_EQ(device_.Count(DeviceCall::kSync), 0U)
      << "it would be told of a lost write-back, and the stream's next sync would not";
  EXPECT_EQ(device_.Count(DeviceCall::kSyncAside), 1U);
}

TEST_F(SpaceTest, WhateverGoesWrongWithZerosTouchesNothingElse) {
  for (const DeviceCall call : {DeviceCall::kOpenAside, DeviceCall::kSetSize, DeviceCall::kWrite,
                                DeviceCall::kSyncAside, DeviceCall::kAllocate}) {
    MemoryDevice device;
    Space space(&device, Parts::Options(1024 * kKiB));
    device.Fail({call, call == DeviceCall::kAllocate ? ENOSPC : EIO});
    ASSERT_TRUE(space.FrontierDue(0));
    space.ZeroAhead([] { return Address{0}; });
    EXPECT_EQ(space.frontier(), 0U);
    EXPECT_FALSE(space.FrontierDue(0)) << "it rests";
    EXPECT_EQ(device.Count(DeviceCall::kSync), 0U);
    space.PrepareForWrite(4096);  // waits for nobody
  }
}

TEST_F(SpaceTest, TheFrontierStaysWithinItsBound) {
  Address tail = 0;
  for (int i = 0; i < 30; ++i) {
    if (space_.FrontierDue(tail)) {
      ZeroAhead(tail);
    }
    ASSERT_LE(space_.frontier(), tail + 1024 * kKiB + 4096) << "at " << tail;
    tail += 100 * kKiB;
  }
  EXPECT_GT(space_.frontier(), 0U);
}

TEST_F(SpaceTest, AfterStopZeroingNothingIsZeroed) {
  ASSERT_TRUE(space_.FrontierDue(0));
  space_.StopZeroing();
  ZeroAhead(0);
  EXPECT_FALSE(space_.FrontierDue(1 << 20));
  EXPECT_TRUE(Trace().empty());
}

TEST_F(SpaceTest, StopZeroingWaitsForTheChunkUnderWay) {
  device_.Hold(DeviceCall::kSyncAside);
  std::thread zeroing([this] { ZeroAhead(0); });
  EXPECT_TRUE(device_.AwaitHeld());
  std::thread stopper([this] {
    space_.StopZeroing();
    EXPECT_TRUE(device_.SetSize(0).ok());
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // gives a broken wait its chance
  device_.Release();
  zeroing.join();
  stopper.join();
  EXPECT_EQ(Trace().back(), "size 0");
  EXPECT_EQ(device_.Content(), "") << "zeros came back behind the end";
}

// --- a stream after another, and before the next ---

class SuccessorTest : public testing::Test {
 protected:
  static StoreOptions Options() {
    StoreOptions options = test::SmallOptions();
    options.frontier_bytes = 16384 * kKiB;
    return options;
  }
  static void ZeroAhead(Space* space, Address tail) {
    ASSERT_TRUE(space->FrontierDue(tail)) << "at " << tail;
    space->ZeroAhead([tail] { return tail; });
  }
  MemoryDevice device_;
};

TEST_F(SuccessorTest, GoesOnInItsPredecessorsSteps) {
  Space space(&device_, Options());
  space.Follow({100000 * kKiB, true, 8192 * kKiB});
  ZeroAhead(&space, 0);
  EXPECT_EQ(space.frontier(), 1024 * kKiB) << "the first syncs do not wait for eight times as much";
  ZeroAhead(&space, 4096);
  EXPECT_EQ(space.frontier(), (1024 + 8192) * kKiB);
  EXPECT_EQ(space.largest_chunk_bytes(), 8192 * kKiB);
}

TEST_F(SuccessorTest, ZeroesNoFurtherThanItsPredecessorWent) {
  Space space(&device_, Options());
  space.Follow({3000 * kKiB, true, 8192 * kKiB});
  ZeroAhead(&space, 0);
  ZeroAhead(&space, 4096);
  for (Address tail = 0; tail <= 3000 * kKiB; tail += 60 * kKiB) {
    EXPECT_FALSE(space.FrontierDue(tail)) << "at " << tail;
  }
  EXPECT_GE(space.frontier(), 3000 * kKiB);
  EXPECT_LE(space.frontier(), 3300 * kKiB);
  EXPECT_EQ(device_.Content().size(), space.frontier());
  EXPECT_EQ(space.largest_chunk_bytes(), 8192 * kKiB) << "its own successor does the same";
}

TEST_F(SuccessorTest, LongerThanItsPredecessorFindsItsOwnSteps) {
  Space space(&device_, Options());
  space.Follow({1024 * kKiB, true, 8192 * kKiB});
  Address tail = 0;
  while (tail < 20000 * kKiB) {
    if (space.FrontierDue(tail)) {
      space.ZeroAhead([tail] { return tail; });
    }
    ASSERT_LE(tail, space.frontier());
    tail += 64 * kKiB;
  }
  EXPECT_GT(space.largest_chunk_bytes(), 8192 * kKiB / 8) << "it is fast, so its steps grow again";
}

TEST_F(SpaceTest, RetiredItZeroesNothingMoreUntilItGrows) {
  ASSERT_TRUE(space_.FrontierDue(5000));
  space_.Retire(5000);
  ZeroAhead(5000);
  EXPECT_TRUE(Trace().empty());
  EXPECT_FALSE(space_.FrontierDue(5000));
  EXPECT_TRUE(space_.FrontierDue(5001)) << "it was no successor, then";
  ZeroAhead(5001);
  EXPECT_GT(space_.frontier(), 5001U);
}

TEST_F(SpaceTest, RetiredItGivesUpTheChunkUnderWay) {
  ZeroAhead(0);
  device_.Hold(DeviceCall::kWrite);
  std::thread zeroing([this] { ZeroAhead(0); });
  EXPECT_TRUE(device_.AwaitHeld());
  space_.Retire(0);
  device_.Release();
  zeroing.join();
  EXPECT_EQ(space_.frontier(), 256 * kKiB) << "the second chunk does not count";
  EXPECT_EQ(device_.Count(DeviceCall::kSyncAside), 1U) << "of the first";
  // What it left behind its tail is cut off at the end, as ever.
  space_.StopZeroing();
  EXPECT_TRUE(space_.Finish(0).ok());
  EXPECT_EQ(device_.Content(), "");
}

// --- cutting in mid-stream ---

TEST_F(SpaceTest, CutToSetsTheExactSizeAndKeepsTheBlocksThatAppendsCountOn) {
  ASSERT_TRUE(space_.EnsureAllocated(kStep).ok());
  space_.PrepareForWrite(5000);
  device_.ForgetEvents();
  ASSERT_TRUE(space_.CutTo(5000).ok());
  EXPECT_EQ(Trace(), Lines({"size 5000", "allocate 8192+57344"}));
  EXPECT_EQ(space_.allocated(), kStep);
  space_.PrepareForWrite(6000);
  EXPECT_EQ(device_.Content().size(), kStep) << "the next write makes room again";
}

TEST_F(SpaceTest, AtRestTheFileStaysExactUntilItGoesOn) {
  ASSERT_TRUE(space_.FrontierDue(0));
  ASSERT_TRUE(space_.Rest(5000).ok());
  device_.ForgetEvents();
  ZeroAhead(5000);  // a job that was under way
  EXPECT_TRUE(Trace().empty());
  EXPECT_EQ(device_.Content().size(), 5000U);
  space_.Resume();
  ASSERT_TRUE(space_.FrontierDue(5000)) << "the job has given the request back";
  ZeroAhead(5000);
  EXPECT_GT(space_.frontier(), 8192U);
}

TEST_F(SpaceTest, ComingToRestGivesUpTheChunkUnderWay) {
  device_.Hold(DeviceCall::kWrite);
  auto zeroing = std::async(std::launch::async, [this] { return ZeroAhead(0); });
  ASSERT_TRUE(device_.AwaitHeld());
  auto resting = std::async(std::launch::async, [this] { return space_.Rest(0); });
  ASSERT_EQ(resting.wait_for(std::chrono::milliseconds(20)), std::future_status::timeout)
      << "zeros must not come behind the cut";
  device_.Release();
  zeroing.get();
  ASSERT_TRUE(resting.get().ok());
  EXPECT_EQ(device_.Content().size(), 0U);
  EXPECT_EQ(space_.frontier(), 0U);
}

TEST_F(SpaceTest, CutToForgetsTheFrontierItHasCutOff) {
  ZeroAhead(0);
  ASSERT_TRUE(space_.CutTo(5000).ok());
  EXPECT_LE(space_.frontier(), 5000U);
  EXPECT_TRUE(space_.FrontierDue(5000));
}

// A cut comes while a chunk is being zeroed: it waits for the chunk, and the chunk, which still has
// to take its blocks, must not wait for the cut.
TEST_F(SpaceTest, CutToAndZeroingDoNotWaitForEachOther) {
  ASSERT_TRUE(space_.EnsureAllocated(4096).ok());
  auto cut_done = std::make_shared<std::promise<Status>>();
  std::future<Status> cut = cut_done->get_future();
  auto zeroing_done = std::make_shared<std::promise<void>>();
  std::future<void> zeroing = zeroing_done->get_future();
  // Detached: a deadlock must fail this test, not hang it.
  std::thread([parts = parts_, cut_done, zeroing_done] {
    parts->space.ZeroAhead([&] {
      std::thread([parts, cut_done] { cut_done->set_value(parts->space.CutTo(4096)); }).detach();
      // Lets the cut get as far as it can; it needs the lock that is held here.
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      return Address{4096};
    });
    zeroing_done->set_value();
  }).detach();
  ASSERT_EQ(zeroing.wait_for(kPatience), std::future_status::ready) << "deadlock";
  ASSERT_EQ(cut.wait_for(kPatience), std::future_status::ready) << "deadlock";
  EXPECT_TRUE(cut.get().ok());
  EXPECT_EQ(device_.Content().size(), 4096U) << "the cut comes last";
}

class NoFrontierTest : public SpaceTest {
 protected:
  NoFrontierTest() : SpaceTest(/*frontier_bytes=*/0) {}
};

TEST_F(NoFrontierTest, IsNeverDue) {
  EXPECT_FALSE(space_.FrontierDue(0));
  EXPECT_FALSE(space_.FrontierDue(1 << 30));
}

}  // namespace
}  // namespace lss
