// A new side log is written ahead of its tail, and never over anything. What a log forgets is not
// found again.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/side_log_fixture.h"

namespace lss {
namespace {

using test::DeviceCall;
using test::MemoryDevice;
using test::StreamNumber;

class SidePrepareTest : public test::SideLogFixture {
 protected:
  static constexpr uint64_t kLogBytes = kGroupCount * kGroupBytes;
  static constexpr uint64_t kNear = 8 * kGroupBytes;  // nothing is written so near the tail
  static constexpr uint64_t kChunkBytes = 1 << 20;    // PrepareAhead goes beyond by less

  SidePrepareTest() {
    Format();
    OpenLog();
  }
  // [first, last) of the log that was written by others than appenders.
  std::vector<std::pair<uint64_t, uint64_t>> Zeros() const {
    std::vector<std::pair<uint64_t, uint64_t>> zeros;
    for (const MemoryDevice::Event& event : device_.Events()) {
      if (event.call == DeviceCall::kWrite && event.kind == WriteKind::kPlain) {
        const uint64_t first = event.offset - kSuperblocksBytes;
        zeros.emplace_back(first, first + event.length);
      }
    }
    return zeros;
  }
  static char Letter(uint64_t number, uint64_t i) {
    return static_cast<char>('a' + (number + i) % 26);
  }
  uint64_t Tail() { return Scan().back().lsn; }
};

TEST_F(SidePrepareTest, ZerosAreAheadOfTheTailAndNotFarther) {
  ASSERT_TRUE(Put(1, 0, "tail").ok());
  const uint64_t tail = Tail();
  constexpr uint64_t kAhead = 512 << 10;
  device_.ForgetEvents();
  ASSERT_TRUE(log_->PrepareAhead(kAhead).ok());
  const auto zeros = Zeros();
  ASSERT_FALSE(zeros.empty());
  EXPECT_GE(zeros.front().first, tail + kNear);
  EXPECT_GE(zeros.back().second, tail + kAhead);
  EXPECT_LE(zeros.back().second, tail + kAhead + kChunkBytes + kGroupBytes);
  EXPECT_EQ(device_.Count(DeviceCall::kSync), zeros.size())
      << "or they cost what they were to save";
  for (size_t i = 1; i < zeros.size(); ++i) {
    EXPECT_EQ(zeros[i].first, zeros[i - 1].second) << "without a gap";
  }
  device_.ForgetEvents();
  ASSERT_TRUE(log_->PrepareAhead(kAhead).ok());
  EXPECT_TRUE(Zeros().empty()) << "that is done";
}

TEST_F(SidePrepareTest, NothingIsPreparedBehindTheEndOrInALaterLap) {
  device_.ForgetEvents();
  ASSERT_TRUE(log_->PrepareAhead(10 * kLogBytes).ok());
  ASSERT_FALSE(Zeros().empty());
  EXPECT_EQ(Zeros().back().second, kLogBytes);
  const std::string bytes(kGroupBytes - 200, 'g');
  for (uint64_t i = 0; i < 3 * kGroupCount; ++i) {
    device_.ForgetEvents();
    ASSERT_TRUE(Put(1, i * bytes.size(), bytes).ok());
    log_->FileDurable(StreamNumber(1), i * bytes.size());
    ASSERT_TRUE(log_->PrepareAhead(kLogBytes / 4).ok());
    ASSERT_TRUE(Zeros().empty()) << i;
  }
}

// Groups begin at any page, and zeros end at one.
TEST_F(SidePrepareTest, AppendersGoOnBehindZerosWithoutThatMoreAreWritten) {
  for (uint64_t pages = 1; pages <= 3; ++pages) {
    Format();
    OpenLog();
    ASSERT_TRUE(log_->PrepareAhead(kNear + pages * kPageBytes).ok());
    ASSERT_FALSE(Zeros().empty());
    std::atomic<bool> ended{false};
    std::thread appender([&] {
      const std::string bytes(pages * kPageBytes - 200, 'p');
      for (uint64_t i = 0; i < 2 * kLogBytes / kPageBytes / pages; ++i) {
        ASSERT_TRUE(Put(1, i * bytes.size(), bytes).ok());
        log_->FileDurable(StreamNumber(1), (i + 1) * bytes.size());
      }
      ended = true;
    });
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    uint64_t writes = 0;
    do {
      writes = log_->writes();
      std::this_thread::sleep_for(std::chrono::milliseconds(500));
    } while (!ended && log_->writes() > writes && std::chrono::steady_clock::now() < until);
    EXPECT_TRUE(ended) << "it waits for somebody to write zeros";
    while (!ended) {
      ASSERT_TRUE(log_->PrepareAhead(kLogBytes).ok());
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    appender.join();
  }
}

TEST_F(SidePrepareTest, ZerosAreNeverWrittenOverAGroup) {
  constexpr uint64_t kThreads = 3;
  constexpr uint64_t kPuts = 30;  // of each; there is room for them
  for (uint64_t round = 0; round < 20; ++round) {
    SCOPED_TRACE(round);
    Format();
    OpenLog(round % 2 == 0 ? 1 : SideLog::kMaxInFlight);
    device_.ForgetEvents();
    std::atomic<uint64_t> running{kThreads};
    std::vector<std::thread> threads;
    for (uint64_t number = 0; number < kThreads; ++number) {
      threads.emplace_back([&, number] {
        std::mt19937_64 random(round * 10 + number);
        for (uint64_t i = 0; i < kPuts; ++i) {
          const std::string bytes(random() % (kGroupBytes - 200) + 1, Letter(number, i));
          const Status status = Put(number, i, bytes);
          EXPECT_TRUE(status.ok()) << status.ToString();
          std::this_thread::sleep_for(std::chrono::microseconds(random() % 100));
        }
        --running;
      });
    }
    while (running > 0) {
      EXPECT_TRUE(log_->PrepareAhead(kNear + round % 4 * kGroupBytes).ok());
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
    std::array<uint64_t, kThreads> found{};
    for (const Found& record : Scan()) {
      EXPECT_EQ(record.offset, found.at(record.stream.number)++);
      const char right = Letter(record.stream.number, record.offset);
      EXPECT_EQ(record.bytes.find_first_not_of(right), std::string::npos);
    }
    for (const uint64_t count : found) {
      EXPECT_EQ(count, kPuts);
    }
    EXPECT_FALSE(Zeros().empty());
    EXPECT_EQ(device_.Violations(), "");
  }
}

TEST_F(SidePrepareTest, ZerosThatCannotBeWrittenAreAnErrorAndAppendersGoOn) {
  device_.Fail({DeviceCall::kWrite, EIO});
  EXPECT_EQ(log_->PrepareAhead(2 * kNear).code(), Status::Code::kIoError);
  const std::string bytes(kGroupBytes - 200, 'g');
  for (uint64_t i = 0; i < kGroupCount - 20; ++i) {
    ASSERT_TRUE(Put(1, i * bytes.size(), bytes).ok());
  }
  EXPECT_FALSE(log_->has_failed());
}

using SideForgetTest = SidePrepareTest;

TEST_F(SideForgetTest, RoomIsUsedFromTheOldestThatIsWantedToTheEnd) {
  EXPECT_EQ(log_->RoomUsed(), 0U);
  ASSERT_TRUE(Put(1, 0, "one").ok());
  EXPECT_EQ(log_->RoomUsed(), kPageBytes);
  ASSERT_TRUE(Put(2, 0, std::string(kPageBytes, 'b')).ok());
  EXPECT_EQ(log_->RoomUsed(), 3 * kPageBytes);
  log_->FileDurable(StreamNumber(2), kPageBytes);
  EXPECT_EQ(log_->RoomUsed(), 3 * kPageBytes) << "the other one is before";
  log_->FileDurable(StreamNumber(1), 2);
  EXPECT_EQ(log_->RoomUsed(), 3 * kPageBytes) << "a byte is missing";
  ASSERT_TRUE(Put(2, kPageBytes, "b").ok());
  log_->FileDurable(StreamNumber(1), 3);
  EXPECT_EQ(log_->RoomUsed(), kPageBytes);
  log_->Forget(StreamNumber(2));
  EXPECT_EQ(log_->RoomUsed(), 0U);
}

TEST_F(SideForgetTest, ALogThatIsOpenedAnewFindsNothingOfAForgottenDatabase) {
  const Uuid database = StreamNumber(1).database;
  for (uint64_t number = 1; number <= 3; ++number) {
    ASSERT_TRUE(Put(number, 0, "mine").ok());
  }
  EXPECT_TRUE(log_->Wants(database));
  EXPECT_FALSE(log_->Wants(Uuid{}));
  log_->ForgetDatabase(Uuid{});
  EXPECT_EQ(Scan().size(), 3U);
  log_->ForgetDatabase(database);
  EXPECT_FALSE(log_->Wants(database));
  EXPECT_TRUE(Scan().empty());
  OpenLog();
  EXPECT_FALSE(log_->Wants(database));
  EXPECT_EQ(log_->RoomUsed(), 0U);
}

TEST_F(SideForgetTest, OnlyTheNamedDatabaseIsForgotten) {
  StreamName other = StreamNumber(1);
  other.database.fill(9);
  ASSERT_TRUE(Put(1, 0, "mine").ok());
  uint64_t group = 0;
  ASSERT_TRUE(log_->Append({other, 0, {"other", 5}}, &group).ok());
  ASSERT_TRUE(log_->Sync(group).ok());
  log_->ForgetDatabase(StreamNumber(1).database);
  ASSERT_EQ(Scan().size(), 1U);
  OpenLog();
  EXPECT_TRUE(log_->Wants(other.database));
}

TEST_F(SideForgetTest, WhatIsWantedNoMoreIsNotFoundWhenTheHeadWasNoted) {
  ASSERT_TRUE(Put(1, 0, "one").ok());
  log_->FileDurable(StreamNumber(1), 3);
  EXPECT_EQ(Scan().size(), 1U) << "it is not worth a write by itself";
  log_->NoteHead();
  EXPECT_TRUE(Scan().empty());
  ASSERT_TRUE(Put(1, 3, "two").ok());
  log_->NoteHead();
  EXPECT_EQ(Scan().size(), 1U);
  OpenLog();
  EXPECT_TRUE(log_->Wants(StreamNumber(1).database));
}

}  // namespace
}  // namespace lss
