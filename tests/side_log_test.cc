// A side log on a device in memory: what was acknowledged is found again, whatever happens.
#include "lss/second_place/side_log.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/side_log_fixture.h"

namespace lss {
namespace {

using test::DeviceCall;
using test::MemoryDevice;
using test::StreamNumber;
using test::Survivors;

class SideLogTest : public test::SideLogFixture {
 protected:
  SideLogTest() {
    Format();
    OpenLog();
  }
};

TEST_F(SideLogTest, WhatWasSyncedIsFoundAgainInOrder) {
  ASSERT_TRUE(Put(1, 0, "one").ok());
  ASSERT_TRUE(Put(2, 500, "two").ok());
  ASSERT_TRUE(Put(1, 3, "three").ok());
  const std::vector<Found> found = Scan();
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[1].stream, StreamNumber(2));
  EXPECT_EQ(found[1].offset, 500U);
  EXPECT_EQ(found[1].bytes, "two");
  EXPECT_EQ(found[2].bytes, "three");
  EXPECT_EQ(device_.Violations(), "");
}

TEST_F(SideLogTest, NothingIsWrittenBeforeSomebodyWantsIt) {
  SideMark mark;
  device_.ForgetEvents();
  ASSERT_TRUE(Append(1, 0, "quiet", &mark).ok());
  EXPECT_EQ(device_.Count(DeviceCall::kWrite), 0U);
  ASSERT_TRUE(log_->Sync(mark.group).ok());
  EXPECT_EQ(device_.Count(DeviceCall::kWrite), 1U);
  ASSERT_TRUE(log_->Sync(mark.group).ok());
  EXPECT_EQ(device_.Count(DeviceCall::kWrite), 1U) << "it is durable already";
}

TEST_F(SideLogTest, SyncsThatComeWhileOneIsWrittenBecomeDurableByOneWrite) {
  device_.Hold(DeviceCall::kWrite);
  std::thread first([&] { EXPECT_TRUE(Put(1, 0, "first").ok()); });
  ASSERT_TRUE(device_.AwaitHeld());
  device_.ForgetEvents();
  constexpr int kThreads = 16;
  std::atomic<int> appended{0};
  std::vector<std::thread> others;
  for (int i = 0; i < kThreads; ++i) {
    others.emplace_back([&, i] {
      SideMark mark;
      EXPECT_TRUE(Append(2, i * 10, "0123456789", &mark).ok());
      ++appended;
      EXPECT_TRUE(log_->Sync(mark.group).ok());
    });
  }
  while (appended < kThreads) {
    std::this_thread::yield();
  }
  device_.Release();
  first.join();
  for (std::thread& other : others) {
    other.join();
  }
  EXPECT_EQ(device_.Count(DeviceCall::kWrite), 1U);
  EXPECT_EQ(Scan().size(), 1U + kThreads);
}

// Memory that is being written must not change: who appends meanwhile waits when all of it is full.
TEST_F(SideLogTest, WhoAppendsMoreThanThereIsMemoryForWaits) {
  device_.Hold(DeviceCall::kWrite);
  std::thread first([&] { EXPECT_TRUE(Put(1, 0, "first").ok()); });
  ASSERT_TRUE(device_.AwaitHeld());
  std::atomic<uint64_t> appended{0};
  constexpr uint64_t kRecords = 2 * SideLog::kGroups;
  std::thread second([&] {
    const std::string bytes(kGroupBytes - 200, 's');  // a group each
    SideMark mark;
    for (uint64_t i = 0; i < kRecords; ++i) {
      ASSERT_TRUE(Append(2, i, bytes, &mark).ok());
      ++appended;
    }
    ASSERT_TRUE(log_->Sync(mark.group).ok());
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_LT(appended, SideLog::kGroups);
  device_.Release();
  first.join();
  second.join();
  EXPECT_EQ(Scan().size(), 1 + kRecords);
  EXPECT_EQ(device_.Violations(), "");
}

TEST_F(SideLogTest, ALongRecordIsCutIntoPieces) {
  const std::string bytes(3 * kGroupBytes + 77, 'l');
  SideMark mark;
  ASSERT_TRUE(Append(1, 1000, bytes, &mark).ok());
  ASSERT_TRUE(log_->Sync(mark.group).ok());
  std::string together;
  const std::vector<Found> found = Scan();
  ASSERT_GT(found.size(), 3U);
  for (const Found& piece : found) {
    EXPECT_EQ(piece.offset, 1000 + together.size());
    together += piece.bytes;
  }
  EXPECT_EQ(together, bytes);
  EXPECT_EQ(mark.lsn, found.front().lsn) << "the head must not pass the first piece";
}

TEST_F(SideLogTest, WhatIsStillWantedIsNotRunOver) {
  const std::string bytes(kGroupBytes - 200, 'w');
  std::vector<uint64_t> lsns;
  Status status;
  for (uint64_t i = 0; status.ok(); ++i) {
    ASSERT_LT(i, 2 * kGroupCount);
    SideMark mark;
    status = Append(1, i * bytes.size(), bytes, &mark);
    if (status.ok()) {
      ASSERT_TRUE(log_->Sync(mark.group).ok());
      lsns.push_back(mark.lsn);
    }
  }
  EXPECT_EQ(status.code(), Status::Code::kNoSpace) << status.ToString();
  EXPECT_GE(lsns.size(), kGroupCount - 2);
  EXPECT_EQ(Scan().size(), lsns.size());
  // The first half is wanted no more.
  ASSERT_TRUE(log_->SetHead(lsns[lsns.size() / 2]).ok());
  EXPECT_TRUE(Put(2, 0, bytes).ok());
  const std::vector<Found> found = Scan();
  EXPECT_EQ(found.front().lsn, lsns[lsns.size() / 2]);
  EXPECT_EQ(found.back().stream, StreamNumber(2));
}

TEST_F(SideLogTest, GoesRoundAndRound) {
  std::mt19937 random(3);
  for (uint64_t i = 0; i < 500; ++i) {
    const std::string bytes(random() % 9000 + 1, static_cast<char>('a' + i % 26));
    SideMark mark;
    ASSERT_TRUE(Append(1, i, bytes, &mark).ok()) << i;
    ASSERT_TRUE(log_->Sync(mark.group).ok());
    const std::vector<Found> found = Scan();
    ASSERT_FALSE(found.empty());
    EXPECT_EQ(found.back().offset, i);
    EXPECT_EQ(found.back().bytes, bytes);
    ASSERT_TRUE(log_->SetHead(mark.lsn).ok());
  }
  EXPECT_EQ(device_.Violations(), "");
}

TEST_F(SideLogTest, AFailedWriteIsAnErrorForAllThatWaitAndComeLater) {
  ASSERT_TRUE(Put(1, 0, "safe").ok());
  device_.Fail({DeviceCall::kWrite, EIO});
  EXPECT_EQ(Put(1, 4, "lost").code(), Status::Code::kIoError);
  EXPECT_FALSE(Put(1, 8, "too late").ok());
  SideMark mark;
  (void)Append(1, 8, "too late", &mark);
  EXPECT_FALSE(log_->Sync(mark.group).ok());
  const std::vector<Found> found = Scan();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].bytes, "safe");
}

// With several writes under way the second may be there before the first.
TEST_F(SideLogTest, ASyncReturnsWhenAllBeforeItAreDurableToo) {
  OpenLog(SideLog::kMaxInFlight);
  device_.Hold(DeviceCall::kWrite);
  std::thread first([&] { EXPECT_TRUE(Put(1, 0, "first").ok()); });
  ASSERT_TRUE(device_.AwaitHeld());
  std::atomic<bool> returned{false};
  std::thread second([&] {
    EXPECT_TRUE(Put(2, 0, "second").ok());
    returned = true;
  });
  while (log_->writes() == 0) {  // the second's
    std::this_thread::yield();
  }
  EXPECT_FALSE(returned) << "the first is a hole as yet";
  EXPECT_TRUE(Scan().empty());
  device_.Release();
  first.join();
  second.join();
  EXPECT_EQ(Scan().size(), 2U);
}

TEST_F(SideLogTest, WhoWasTakenOverIsNotBelievedAnyMore) {
  ASSERT_TRUE(Put(1, 0, "before").ok());
  const std::unique_ptr<SideLog> old = std::move(log_);
  OpenLog();  // another process, that takes the first for dead
  ASSERT_TRUE(Put(2, 0, "taken over").ok());
  // The old one writes where the new one will write next, or has written.
  SideMark mark;
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(old->Append({StreamNumber(3), 0, {"stale", 5}}, &mark).ok());
    ASSERT_TRUE(old->Sync(mark.group).ok()) << "it cannot know";
  }
  for (const Found& found : Scan()) {
    EXPECT_FALSE(found.stream == StreamNumber(3));
  }
}

TEST_F(SideLogTest, LivesFollowEachOther) {
  for (uint64_t life = 0; life < 10; ++life) {
    ASSERT_TRUE(Put(1, life, "life " + std::to_string(life)).ok());
    SideMark mark;
    ASSERT_TRUE(Append(1, 1000, "never synced", &mark).ok());
    OpenLog();
    const std::vector<Found> found = Scan();
    ASSERT_EQ(found.size(), life + 1);
    EXPECT_EQ(found.back().bytes, "life " + std::to_string(life));
  }
}

TEST_F(SideLogTest, ManyThreadsLoseNothingAndFindRightRecords) {
  for (const uint64_t in_flight : {uint64_t{1}, SideLog::kMaxInFlight}) {
    SCOPED_TRACE(in_flight);
    Format();
    OpenLog(in_flight);
    constexpr uint64_t kThreads = 8;
    std::vector<std::thread> threads;
    std::vector<uint64_t> synced(kThreads);
    for (uint64_t thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&, thread] {
        std::mt19937_64 random(thread);
        for (uint64_t i = 0; i < 60; ++i) {
          const std::string bytes(random() % 200 + 1, static_cast<char>('a' + thread));
          SideMark mark;
          if (!Append(thread + 100 * in_flight, i, bytes, &mark).ok()) {
            return;  // full
          }
          if (random() % 3 == 0) {
            ASSERT_TRUE(log_->Sync(mark.group).ok());
            synced[thread] = i + 1;
          }
        }
      });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
    std::map<uint64_t, uint64_t> found;
    for (const Found& record : Scan()) {
      if (record.stream.number >= 100 * in_flight && record.stream.number < 100 * in_flight + 100) {
        const uint64_t thread = record.stream.number - 100 * in_flight;
        EXPECT_EQ(record.offset, found[thread]) << "none is missing in between";
        EXPECT_EQ(record.bytes.find_first_not_of(static_cast<char>('a' + thread)),
                  std::string::npos);
        ++found[thread];
      }
    }
    for (uint64_t thread = 0; thread < kThreads; ++thread) {
      EXPECT_GE(found[thread], synced[thread]);
    }
    EXPECT_EQ(device_.Violations(), "");
  }
}

// What survives a power cut at any moment holds everything that was acknowledged before.
TEST_F(SideLogTest, APowerCutLosesNothingThatWasAcknowledged) {
  std::mt19937 random(5);
  uint64_t acknowledged = 0;
  uint64_t head = 0;
  std::vector<uint64_t> lsns;
  for (uint64_t i = 0; i < 200; ++i) {
    const std::string bytes(random() % 5000 + 1, static_cast<char>('a' + i % 26));
    SideMark mark;
    ASSERT_TRUE(Append(1, i, bytes, &mark).ok());
    lsns.push_back(mark.lsn);
    if (random() % 2 == 0) {
      ASSERT_TRUE(log_->Sync(mark.group).ok());
      acknowledged = i + 1;
      if (acknowledged > 10) {
        head = acknowledged - 10;
        ASSERT_TRUE(log_->SetHead(lsns[head]).ok());
      }
    }
    if (i % 4 != 0) {
      continue;
    }
    for (const Survivors survivors : {Survivors::kSyncedOnly, Survivors::kRandomSubset}) {
      MemoryDevice after;
      const std::string content = device_.PowerCut(survivors, i);
      ASSERT_TRUE(
          after.Write({{const_cast<char*>(content.data()), content.size()}}, 0, WriteKind::kPlain)
              .ok());
      SideScan scan;
      std::map<uint64_t, std::string> found;
      for (const Found& record : Scan(&after, &scan)) {
        found[record.offset] = record.bytes;
      }
      for (uint64_t wanted = head; wanted < acknowledged; ++wanted) {
        ASSERT_TRUE(found.count(wanted) > 0) << wanted << " of " << acknowledged;
        ASSERT_EQ(found[wanted][0], static_cast<char>('a' + wanted % 26));
      }
    }
  }
}

TEST_F(SideLogTest, AnythingOnTheDeviceIsReadWithoutHarm) {
  for (uint64_t i = 0; i < 10; ++i) {
    ASSERT_TRUE(Put(1, i * 100, std::string(100, static_cast<char>('a' + i))).ok());
  }
  const std::string content = device_.Content().substr(0, 81920);  // and the page behind the groups
  std::mt19937_64 random(1);
  for (int round = 0; round < 1500; ++round) {
    std::string damaged = content;
    for (int flips = 0; flips <= round % 3; ++flips) {
      char& byte = damaged[random() % std::min<size_t>(damaged.size(), 60000)];
      byte = static_cast<char>(byte ^ (1 << random() % 8));
    }
    MemoryDevice device;
    ASSERT_TRUE(device.Write({{damaged.data(), damaged.size()}}, 0, WriteKind::kPlain).ok());
    std::unique_ptr<SideSpace> space;
    if (!SideSpace::Open(std::make_unique<test::BorrowedDevice>(&device), &space).ok()) {
      continue;
    }
    SideScan scan;
    const Status status = ScanSideLog(
        *space,
        [](const SideRecord& record, uint64_t) {
          ASSERT_EQ(record.bytes.size, 100U);
          ASSERT_EQ(std::string(record.bytes.data, 100),
                    std::string(100, static_cast<char>('a' + record.offset / 100)));
        },
        &scan);
    EXPECT_TRUE(status.ok()) << status.ToString();
  }
}

TEST_F(SideLogTest, ADeviceWithoutASideLogIsTold) {
  MemoryDevice empty;
  std::unique_ptr<SideSpace> space;
  const Status status = SideSpace::Open(std::make_unique<test::BorrowedDevice>(&empty), &space);
  EXPECT_EQ(status.code(), Status::Code::kCorruption);
  EXPECT_NE(status.message().find("no side log"), std::string::npos);
  EXPECT_EQ(
      SideSpace::Format(std::make_unique<test::BorrowedDevice>(&empty), Uuid{}, 8192, 4096, &space)
          .code(),
      Status::Code::kInvalidArgument);
}

}  // namespace
}  // namespace lss
