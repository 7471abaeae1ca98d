#include "lss/stream/space.h"

#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>

#include "tests/support/space_fixture.h"

namespace lss {
namespace {

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

// --- the last blocks ---

TEST_F(SpaceTest, NothingIsZeroedOutOfTheLastBlocksOfAFileSystem) {
  device_.LeaveFree(1 << 20);
  ASSERT_TRUE(space_.FrontierDue(0));
  ZeroAhead(0);
  EXPECT_TRUE(Trace().empty());
  EXPECT_EQ(space_.frontier(), 0U);
  EXPECT_FALSE(space_.FrontierDue(0)) << "and it is not asked again with every sync";
}

// What was accepted counts on them.
TEST_F(SpaceTest, WhereZeroingDoesNotBeginTheTailKeepsItsSizeAndItsBlocks) {
  ASSERT_TRUE(space_.EnsureAllocated(kStep).ok());
  space_.PrepareForWrite(5000);
  device_.LeaveFree(1 << 20);
  device_.ForgetEvents();
  ZeroAhead(5000);
  EXPECT_TRUE(Trace().empty());
  EXPECT_EQ(device_.Content().size(), kStep);
  EXPECT_EQ(space_.allocated(), kStep);
}

TEST_F(SpaceTest, ZerosThatMeetAQuotaGiveTheirBlocksBackToTheTail) {
  ASSERT_TRUE(space_.EnsureAllocated(kStep).ok());
  space_.PrepareForWrite(5000);
  device_.Fail({DeviceCall::kWrite, EDQUOT});
  ZeroAhead(5000);
  EXPECT_EQ(device_.Count(DeviceCall::kWrite), 1U);
  EXPECT_EQ(device_.Content().size(), 8192U) << "where zeroing began";
  EXPECT_EQ(space_.frontier(), 0U);
  space_.PrepareForWrite(9000);
  EXPECT_GE(device_.Content().size(), 9000U);
}

TEST_F(SpaceTest, WhatKeepsADeviceFromAllocatingDoesNotKeepItFromWriting) {
  device_.Fail({DeviceCall::kAllocate, EIO});
  EXPECT_TRUE(space_.EnsureAllocated(1).ok());
}

TEST(SpaceWithoutAllocationTest, TakesNoBlocksAheadOfTheBytes) {
  StoreOptions options = test::SmallOptions();
  options.allocate_ahead = false;
  MemoryDevice device;
  StreamFigures figures;
  Space space(&device, options, &figures);
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

}  // namespace
}  // namespace lss
