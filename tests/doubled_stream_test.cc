// A stream of a group: what a sync waits for, and what is done when the side log or the file does
// not do its part.
#include "lss/second_place/doubled_stream.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include "tests/support/doubled_stream_fixture.h"

namespace lss {
namespace {

using std::chrono::milliseconds;
using test::DeviceCall;
using test::Doubled;
using test::StreamNumber;

constexpr size_t kTooMuch = DoubledStream::kMostGrouped + 1;

class GroupTest : public test::DoubledStreamFixture {
 protected:
  std::unique_ptr<Doubled> Begin(uint64_t number) {
    return DoubledStreamFixture::Begin(number, SecondMode::kGroup);
  }
};

TEST_F(GroupTest, ASyncRestsOnTheSideLog) {
  const auto stream = Begin(1);
  stream->Append(100);
  ASSERT_TRUE(stream->Sync().ok());
  EXPECT_EQ(OnSide(*stream), 100U);
  stream->Append(5000);
  EXPECT_EQ(OnSide(*stream), 100U) << "nobody has asked for it";
  ASSERT_TRUE(stream->Sync().ok());
  EXPECT_EQ(OnSide(*stream), 5100U);
  EXPECT_EQ(stream->file.syncs(), 0U);
  EXPECT_EQ(figures_.side_syncs, 2U);
  EXPECT_EQ(figures_.file_syncs, 0U);
  EXPECT_EQ(warned(), "");
}

TEST_F(GroupTest, ASecondSyncWaitsForWhatTheFirstHandedOver) {
  const auto stream = Begin(1);
  stream->Append(100);
  device_.Hold(DeviceCall::kWrite);
  std::thread first([&] { EXPECT_TRUE(stream->Sync().ok()); });
  ASSERT_TRUE(device_.AwaitHeld());
  std::atomic<bool> returned{false};
  std::thread second([&] {
    EXPECT_TRUE(stream->Sync().ok());
    returned = true;
  });
  std::this_thread::sleep_for(milliseconds(50));
  EXPECT_FALSE(returned);
  device_.Release();
  first.join();
  second.join();
  EXPECT_EQ(OnSide(*stream), 100U);
}

TEST_F(GroupTest, SyncsOfManyStreamsShareAWrite) {
  const auto first = Begin(50);
  first->Append(10);
  device_.Hold(DeviceCall::kWrite);
  std::thread held([&] { EXPECT_TRUE(first->Sync().ok()); });
  ASSERT_TRUE(device_.AwaitHeld());
  device_.ForgetEvents();
  constexpr uint64_t kStreams = 12;
  std::vector<std::unique_ptr<Doubled>> streams;
  std::vector<std::thread> threads;
  for (uint64_t i = 0; i < kStreams; ++i) {
    streams.push_back(Begin(i));
    threads.emplace_back([stream = streams.back().get()] {
      stream->Append(100);
      EXPECT_TRUE(stream->Sync().ok());
    });
  }
  while (figures_.doubled_bytes < 10 + kStreams * 100) {
    std::this_thread::yield();
  }
  device_.Release();
  held.join();
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(device_.Count(DeviceCall::kWrite), 1U);
  for (const auto& stream : streams) {
    EXPECT_EQ(OnSide(*stream), 100U);
    EXPECT_EQ(stream->file.syncs(), 0U);
  }
}

TEST_F(GroupTest, WhatIsTooMuchToWriteTwiceGoesToTheFile) {
  const auto stream = Begin(1);
  stream->Append(DoubledStream::kMostGrouped);
  ASSERT_TRUE(stream->Sync().ok());
  EXPECT_EQ(stream->file.syncs(), 0U) << "just as much as is worth it";
  const uint64_t doubled = figures_.doubled_bytes;
  stream->Append(kTooMuch - 10);
  stream->Append(10);
  ASSERT_TRUE(stream->Sync().ok());
  EXPECT_EQ(stream->file.durable(), stream->appended);
  EXPECT_EQ(figures_.doubled_bytes, doubled);
  EXPECT_FALSE(IsAnythingWanted()) << "the file has what came before, too";
  stream->Append(10);
  ASSERT_TRUE(stream->Sync().ok());
  EXPECT_EQ(stream->file.syncs(), 1U) << "small ones rest on the side log again";
  EXPECT_EQ(OnSide(*stream, stream->file.durable()), stream->appended);
}

TEST_F(GroupTest, WhatIsAppendedBesideASyncOfTooMuchIsNotTakenForDurable) {
  const auto stream = Begin(1);
  stream->Append(100);
  ASSERT_TRUE(stream->Sync().ok());
  stream->Append(kTooMuch);
  stream->file.Hold(true);
  std::thread first([&] { EXPECT_TRUE(stream->Sync().ok()); });
  stream->file.AwaitSyncs(1);
  stream->Append(100);
  stream->file.Hold(false);
  first.join();
  EXPECT_EQ(stream->file.durable(), 100 + kTooMuch);
  ASSERT_TRUE(stream->Sync().ok());
  EXPECT_EQ(OnSide(*stream, stream->file.durable()), stream->appended);
}

TEST_F(GroupTest, AFullSideLogSyncsTheFileAndItsRoomIsUsedAgain) {
  const auto stream = Begin(1);
  constexpr uint64_t kRounds = 600;
  for (uint64_t i = 0; i < kRounds; ++i) {
    stream->Append(20000);
    ASSERT_TRUE(stream->Sync().ok()) << i;
    if (i % 10 == 0) {
      ASSERT_EQ(OnSide(*stream, stream->file.durable()), stream->appended) << i;
    }
  }
  EXPECT_GE(stream->file.syncs(), 2U);
  EXPECT_LE(stream->file.syncs(), 20U);
  EXPECT_NE(warned().find("is full"), std::string::npos) << warned();
}

TEST_F(GroupTest, ASideLogFullOfOthersLeavesSyncsToTheFile) {
  FillUp();
  const auto stream = Begin(1);
  for (uint64_t i = 1; i <= 3; ++i) {
    stream->Append(100);
    ASSERT_TRUE(stream->Sync().ok());
    EXPECT_EQ(stream->file.durable(), i * 100);
  }
  log_->Forget(StreamNumber(kFiller));
  stream->Append(100);
  ASSERT_TRUE(stream->Sync().ok());
  EXPECT_EQ(stream->file.durable(), 300U);
  EXPECT_EQ(OnSide(*stream, 300), 400U);
}

TEST_F(GroupTest, WhatFoundNoRoomIsWaitedForByAllSyncs) {
  const auto stream = Begin(1);
  stream->Append(100);
  ASSERT_TRUE(stream->Sync().ok());
  FillUp();
  stream->Append(100);
  stream->file.Hold(true);
  std::thread first([&] { EXPECT_TRUE(stream->Sync().ok()); });
  stream->file.AwaitSyncs(1);
  std::atomic<bool> returned{false};
  std::thread second([&] {
    EXPECT_TRUE(stream->Sync().ok());
    returned = true;
  });
  std::this_thread::sleep_for(milliseconds(50));
  EXPECT_FALSE(returned) << "it is in neither of them";
  stream->file.Hold(false);
  first.join();
  second.join();
  EXPECT_EQ(stream->file.durable(), 200U);
}

TEST_F(GroupTest, AFailedSideLogLosesNothingAndSyncsGoOn) {
  const auto before = Begin(1);
  const auto during = Begin(2);
  before->Append(100);
  ASSERT_TRUE(before->Sync().ok());
  during->Append(100);
  device_.Fail({DeviceCall::kWrite, EIO});
  ASSERT_TRUE(during->Sync().ok());
  EXPECT_EQ(during->file.durable(), 100U);
  EXPECT_NE(warned().find("syncs wait for their files"), std::string::npos) << warned();
  EXPECT_EQ(OnSide(*before), 100U);
  for (uint64_t i = 2; i < 5; ++i) {
    for (Doubled* stream : {before.get(), during.get()}) {
      stream->Append(100);
      ASSERT_TRUE(stream->Sync().ok());
      EXPECT_EQ(stream->file.durable(), i * 100);
    }
  }
  EXPECT_FALSE(IsAnythingWanted());
}

TEST_F(GroupTest, WhenBothFailTheSyncFails) {
  const auto stream = Begin(1);
  stream->Append(100);
  device_.Fail({DeviceCall::kWrite, EIO});
  stream->file.FailNext(EIO);
  EXPECT_EQ(stream->Sync().code(), Status::Code::kIoError);
  EXPECT_FALSE(stream->Sync().ok()) << "the file may have lost it";
  EXPECT_EQ(stream->file.syncs(), 1U);
}

TEST_F(GroupTest, CatchingUpMakesTheFileDurableAndFreesTheRoom) {
  const auto stream = Begin(1);
  stream->Append(100);
  ASSERT_TRUE(stream->Sync().ok());
  EXPECT_TRUE(IsAnythingWanted());
  ASSERT_TRUE(stream->stream->CatchUp().ok());
  EXPECT_EQ(stream->file.durable(), 100U);
  EXPECT_FALSE(IsAnythingWanted());
  EXPECT_EQ(log_->RoomUsed(), 0U);
  ASSERT_TRUE(stream->stream->CatchUp().ok());
  EXPECT_EQ(stream->file.syncs(), 1U) << "there was nothing to do";
}

// The file is synced after the bytes were taken for the side log and before they are in it.
TEST_F(GroupTest, CatchingUpFreesWhatWasHandedOverBesideASyncOfTheFile) {
  FillUp();
  Doubled* used = nullptr;
  make_room_ = [&] {
    EXPECT_TRUE(used->stream->CatchUp().ok());
    log_->Forget(StreamNumber(kFiller));
    return true;
  };
  const auto stream = Begin(1);
  used = stream.get();
  stream->Append(100);
  ASSERT_TRUE(stream->Sync().ok());
  EXPECT_EQ(stream->file.durable(), 100U);
  EXPECT_TRUE(IsAnythingWanted());
  ASSERT_TRUE(stream->stream->CatchUp().ok());
  EXPECT_EQ(stream->file.syncs(), 1U);
  EXPECT_FALSE(IsAnythingWanted());
}

TEST_F(GroupTest, AFailedSyncOfTheFileIsAnErrorAndItsRecordsStayWanted) {
  const auto stream = Begin(1);
  stream->Append(100);
  ASSERT_TRUE(stream->Sync().ok());
  stream->file.FailNext(EIO);
  EXPECT_EQ(stream->stream->CatchUp().code(), Status::Code::kIoError);
  EXPECT_FALSE(stream->stream->CatchUp().ok()) << "a later sync proves nothing";
  EXPECT_EQ(stream->file.syncs(), 1U);
  EXPECT_TRUE(IsAnythingWanted());
  log_->NoteHead();
  EXPECT_EQ(OnSide(*stream), 100U);
  stream->Append(kTooMuch);
  EXPECT_FALSE(stream->Sync().ok()) << "it would rest on the file alone";
}

TEST_F(GroupTest, AFileThatWasFullMayBeSyncedLater) {
  const auto stream = Begin(1);
  stream->Append(kTooMuch);
  stream->file.FailNext(ENOSPC);
  EXPECT_EQ(stream->Sync().code(), Status::Code::kNoSpace);
  stream->Append(1);
  ASSERT_TRUE(stream->Sync().ok());
  EXPECT_EQ(stream->file.durable(), stream->appended) << "it is not all on the side log";
}

}  // namespace
}  // namespace lss
