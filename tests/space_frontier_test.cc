// The zeroed frontier of a Space.
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>

#include "tests/support/aligned_memory.h"
#include "tests/support/space_fixture.h"

namespace lss {
namespace {

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
    StreamFigures figures;
    Space space(&device, Parts::Options(1024 * kKiB), &figures);
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
  StreamFigures figures;
  Space space(&device_, Options(), &figures);
  space.Follow({100000 * kKiB, true, 8192 * kKiB});
  ZeroAhead(&space, 0);
  EXPECT_EQ(space.frontier(), 1024 * kKiB) << "the first syncs do not wait for eight times as much";
  ZeroAhead(&space, 4096);
  EXPECT_EQ(space.frontier(), (1024 + 8192) * kKiB);
  EXPECT_EQ(space.largest_chunk_bytes(), 8192 * kKiB);
}

TEST_F(SuccessorTest, ZeroesNoFurtherThanItsPredecessorWent) {
  StreamFigures figures;
  Space space(&device_, Options(), &figures);
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
  StreamFigures figures;
  Space space(&device_, Options(), &figures);
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
