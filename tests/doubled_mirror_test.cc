// A mirrored stream: what a sync waits for, and what is done when the side log or the file does not
// do its part.
#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <memory>
#include <thread>

#include "lss/second_place/doubled_stream.h"
#include "tests/support/doubled_stream_fixture.h"

namespace lss {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using test::DeviceCall;
using test::Doubled;
using test::StreamNumber;

constexpr size_t kTooMuch = DoubledStream::kMostGrouped + 1;

class MirrorTest : public test::DoubledStreamFixture {
 protected:
  static constexpr int64_t kDegradeAfterMs = 1000;

  std::unique_ptr<Doubled> Begin(uint64_t number, int64_t degrade_after_ms) {
    return DoubledStreamFixture::Begin(number, SecondMode::kMirror, degrade_after_ms);
  }
  // In ms.
  static int64_t TimeOfSync(Doubled* stream) {
    const auto begin = steady_clock::now();
    EXPECT_TRUE(stream->Sync().ok());
    return std::chrono::duration_cast<milliseconds>(steady_clock::now() - begin).count();
  }
};

TEST_F(MirrorTest, ASyncReturnsWhenBothHaveIt) {
  const auto stream = Begin(1, DoubledStream::kNever);
  for (const bool is_file_slow : {false, true}) {
    SCOPED_TRACE(is_file_slow);
    stream->Append(100);
    if (is_file_slow) {
      stream->file.Hold(true);
    } else {
      device_.Hold(DeviceCall::kWrite);
    }
    const uint64_t writes = log_->writes();
    const uint64_t syncs = stream->file.syncs();
    std::atomic<bool> returned{false};
    std::thread sync([&] {
      EXPECT_TRUE(stream->Sync().ok());
      returned = true;
    });
    stream->file.AwaitSyncs(syncs + 1);
    if (is_file_slow) {
      while (log_->writes() == writes) {
        std::this_thread::yield();
      }
    } else {
      EXPECT_TRUE(device_.AwaitHeld());
    }
    std::this_thread::sleep_for(milliseconds(50));
    EXPECT_FALSE(returned);
    stream->file.Hold(false);
    device_.Release();
    sync.join();
    EXPECT_EQ(stream->file.durable(), stream->appended);
    EXPECT_EQ(OnSide(*stream), stream->appended);
  }
  EXPECT_EQ(figures_.side_syncs, 2U);
}

TEST_F(MirrorTest, RecordsStayWhenTheFileIsDurable) {
  const auto stream = Begin(1, DoubledStream::kNever);
  stream->Append(100);
  ASSERT_TRUE(stream->Sync().ok());
  ASSERT_TRUE(stream->stream->CatchUp().ok());
  log_->NoteHead();
  EXPECT_TRUE(IsAnythingWanted());
  EXPECT_EQ(stream->file.durable(), 100U);
  EXPECT_EQ(OnSide(*stream), 100U);
}

TEST_F(MirrorTest, MuchIsMirroredBeforeItIsSynced) {
  const auto stream = Begin(1, DoubledStream::kNever);
  stream->Append(kTooMuch);
  while (figures_.doubled_bytes < kTooMuch) {
    std::this_thread::yield();
  }
  EXPECT_EQ(stream->file.syncs(), 0U);
}

TEST_F(MirrorTest, ASideLogThatHangsIsWaitedForOnceAndThenNoMore) {
  const auto stream = Begin(1, kDegradeAfterMs);
  stream->Append(100);
  device_.Hold(DeviceCall::kWrite);
  EXPECT_GE(TimeOfSync(stream.get()), kDegradeAfterMs);
  EXPECT_EQ(figures_.degraded_syncs, 1U);
  EXPECT_NE(warned().find("without their mirror"), std::string::npos) << warned();
  stream->Append(100);
  EXPECT_LT(TimeOfSync(stream.get()), kDegradeAfterMs);
  EXPECT_EQ(figures_.degraded_syncs, 2U);
  EXPECT_EQ(figures_.side_syncs, 0U);
  EXPECT_EQ(stream->file.durable(), 200U);
  // It is waited for again when it has answered, and has what came meanwhile.
  device_.Release();
  for (int i = 0; i < 1000 && figures_.side_syncs == 0; ++i) {
    std::this_thread::sleep_for(milliseconds(10));
    ASSERT_TRUE(stream->Sync().ok());
  }
  EXPECT_EQ(figures_.side_syncs, 1U);
  EXPECT_EQ(OnSide(*stream), 200U);
}

TEST_F(MirrorTest, AFailedSideLogIsAnErrorOrIsDoneWithout) {
  const auto strict = Begin(1, DoubledStream::kNever);
  const auto lenient = Begin(2, 60000);
  strict->Append(100);
  lenient->Append(100);
  device_.Fail({DeviceCall::kWrite, EIO});
  EXPECT_EQ(strict->Sync().code(), Status::Code::kIoError);
  EXPECT_EQ(figures_.degraded_syncs, 0U);
  EXPECT_LT(TimeOfSync(lenient.get()), 30000) << "there is nothing to wait for";
  EXPECT_EQ(figures_.degraded_syncs, 1U);
  EXPECT_EQ(lenient->file.durable(), 100U);
  strict->Append(100);
  EXPECT_FALSE(strict->Sync().ok());
  EXPECT_EQ(figures_.side_syncs, 0U);
}

TEST_F(MirrorTest, AFailedFileIsAnErrorWhateverTheSideLogSays) {
  const auto stream = Begin(1, kDegradeAfterMs);
  stream->Append(100);
  stream->file.FailNext(EIO);
  EXPECT_EQ(stream->Sync().code(), Status::Code::kIoError);
  EXPECT_FALSE(stream->Sync().ok());
}

TEST_F(MirrorTest, AFullSideLogIsAskedForRoom) {
  FillUp();
  std::atomic<int> asked{0};
  make_room_ = [&] {
    if (++asked > 1) {
      log_->Forget(StreamNumber(kFiller));  // the first that went was not enough
    }
    return true;
  };
  const auto stream = Begin(1, DoubledStream::kNever);
  stream->Append(100);
  ASSERT_TRUE(stream->Sync().ok());
  EXPECT_EQ(asked, 2);
  EXPECT_EQ(OnSide(*stream), 100U);
}

// A log is deleted, and its room given away, while a worker is still bringing its last bytes.
TEST_F(MirrorTest, WhatReachesTheMirrorAfterItsLogIsForgottenIsNotWanted) {
  FillUp();
  std::atomic<bool> has_begun{false};
  std::atomic<bool> is_forgotten{false};
  make_room_ = [&] {
    has_begun = true;
    while (!is_forgotten) {
      std::this_thread::yield();
    }
    log_->Forget(StreamNumber(kFiller));
    return true;
  };
  const auto stream = Begin(1, DoubledStream::kNever);
  stream->Append(kTooMuch);
  while (!has_begun) {
    std::this_thread::yield();
  }
  log_->Forget(StreamNumber(1));
  is_forgotten = true;
  workers_.reset();  // does what there is
  EXPECT_EQ(figures_.doubled_bytes, kTooMuch);
  EXPECT_FALSE(IsAnythingWanted());
}

TEST_F(MirrorTest, ASideLogWithoutRoomIsAnErrorOrIsDoneWithout) {
  FillUp();
  make_room_ = [] { return false; };
  const auto strict = Begin(1, DoubledStream::kNever);
  strict->Append(100);
  const Status full = strict->Sync();
  EXPECT_EQ(full.code(), Status::Code::kNoSpace);
  EXPECT_NE(full.message().find("second_bytes"), std::string::npos) << full.message();
  const auto lenient = Begin(2, 60000);
  lenient->Append(100);
  EXPECT_LT(TimeOfSync(lenient.get()), 30000);
  EXPECT_EQ(figures_.degraded_syncs, 1U);
  // It stays without: bytes are missing in between.
  log_->Forget(StreamNumber(kFiller));
  lenient->Append(100);
  ASSERT_TRUE(lenient->Sync().ok());
  EXPECT_EQ(figures_.degraded_syncs, 2U);
  EXPECT_EQ(OnSide(*lenient), 0U);
}

}  // namespace
}  // namespace lss
