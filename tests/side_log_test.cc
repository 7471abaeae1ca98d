// A side log on a device in memory: what was acknowledged is found again, whatever happens.
#include "lss/second_place/side_log.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <map>
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

class SideLogTest : public test::SideLogFixture {
 protected:
  static constexpr uint64_t kFiller = 99;

  SideLogTest() {
    Format();
    OpenLog();
  }
  // With records that are wanted. False: there was another error than NoSpace.
  bool FillUp() {
    const std::string bytes(kGroupBytes - 200, 'f');
    Status status;
    for (uint64_t i = 0; status.ok(); ++i) {
      status = Put(kFiller, i * bytes.size(), bytes);
    }
    return status.code() == Status::Code::kNoSpace;
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
  uint64_t group = 0;
  device_.ForgetEvents();
  ASSERT_TRUE(Append(1, 0, "quiet", &group).ok());
  EXPECT_EQ(device_.Count(DeviceCall::kWrite), 0U);
  ASSERT_TRUE(log_->Sync(group).ok());
  EXPECT_EQ(device_.Count(DeviceCall::kWrite), 1U);
  ASSERT_TRUE(log_->Sync(group).ok());
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
      uint64_t group = 0;
      EXPECT_TRUE(Append(2, i * 10, "0123456789", &group).ok());
      ++appended;
      EXPECT_TRUE(log_->Sync(group).ok());
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
    uint64_t group = 0;
    for (uint64_t i = 0; i < kRecords; ++i) {
      ASSERT_TRUE(Append(2, i, bytes, &group).ok());
      ++appended;
    }
    ASSERT_TRUE(log_->Sync(group).ok());
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
  uint64_t group = 0;
  ASSERT_TRUE(Append(1, 1000, bytes, &group).ok());
  ASSERT_TRUE(log_->Sync(group).ok());
  std::string together;
  const std::vector<Found> found = Scan();
  ASSERT_GT(found.size(), 3U);
  for (const Found& piece : found) {
    EXPECT_EQ(piece.offset, 1000 + together.size());
    together += piece.bytes;
  }
  EXPECT_EQ(together, bytes);
  // The head must not pass the first piece while the last one is wanted, nor stay behind it.
  log_->FileDurable(StreamNumber(1), 1000 + found.front().bytes.size() - 1);
  ASSERT_TRUE(FillUp());
  EXPECT_EQ(Scan().front().lsn, found.front().lsn);
  log_->FileDurable(StreamNumber(1), 1000 + found.front().bytes.size());
  ASSERT_TRUE(Put(3, 0, "room").ok());
  EXPECT_EQ(Scan().front().lsn, found[1].lsn);
}

TEST_F(SideLogTest, WhatIsStillWantedIsNotRunOver) {
  const std::string bytes(kGroupBytes - 200, 'w');
  uint64_t records = 0;
  Status status;
  for (; status.ok(); ++records) {
    ASSERT_LT(records, 2 * kGroupCount);
    status = Put(1, records * bytes.size(), bytes);
  }
  --records;
  EXPECT_EQ(status.code(), Status::Code::kNoSpace) << status.ToString();
  EXPECT_GE(records, kGroupCount - 2);
  const std::vector<Found> all = Scan();
  EXPECT_EQ(all.size(), records);
  StreamName oldest;
  ASSERT_TRUE(log_->Oldest(&oldest));
  EXPECT_EQ(oldest, StreamNumber(1));
  // The first half is wanted no more.
  log_->FileDurable(StreamNumber(1), records / 2 * bytes.size());
  EXPECT_TRUE(Put(2, 0, bytes).ok());
  const std::vector<Found> found = Scan();
  EXPECT_EQ(found.front().lsn, all[records / 2].lsn);
  EXPECT_EQ(found.back().stream, StreamNumber(2));
}

// A full one is opened, so that its records can be brought to their files.
TEST_F(SideLogTest, AFullLogIsOpenedAndTakesRecordsWhenItsOwnAreWantedNoMore) {
  ASSERT_TRUE(FillUp());
  OpenLog();
  EXPECT_EQ(Put(1, 0, "no room").code(), Status::Code::kNoSpace);
  const size_t before = Scan().size();
  EXPECT_GE(before, kGroupCount - 2);
  log_->Forget(StreamNumber(kFiller));
  ASSERT_TRUE(Put(1, 0, "room").ok());
  EXPECT_EQ(Scan().size(), 1U);
}

TEST_F(SideLogTest, AnEmptyRecordIsARecord) {
  ASSERT_TRUE(Put(1, 7, "").ok());
  const std::vector<Found> found = Scan();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].offset, 7U);
}

TEST_F(SideLogTest, ADamagedGroupInTheMiddleIsToldAndNotTakenForTheEnd) {
  // Longer than chance has it: checksums and the log's own name are in the content, too.
  const std::string records[] = {"first of three", "second of three", "third of three"};
  uint64_t offset = 0;
  for (const std::string& record : records) {
    ASSERT_TRUE(Put(1, offset, record).ok());
    offset += record.size();
  }
  std::string content = device_.Content();
  content[content.find(records[1])] ^= 1;
  for (const bool was_opened_again : {false, true}) {
    SCOPED_TRACE(was_opened_again);
    if (was_opened_again) {
      OpenLog();
      content.replace(0, kSuperblocksBytes, device_.Content(), 0, kSuperblocksBytes);
    }
    MemoryDevice damaged;
    ASSERT_TRUE(damaged.Write({{content.data(), content.size()}}, 0, WriteKind::kPlain).ok());
    std::string found;
    SideScan scan;
    const Status status = ScanSideLog(
        *OpenSpace(&damaged),
        [&](const SideRecord& record, uint64_t) {
          found.append(record.bytes.data, record.bytes.size);
        },
        &scan);
    EXPECT_EQ(status.code(), Status::Code::kCorruption) << status.ToString();
    EXPECT_EQ(found, records[0]);
  }
}

TEST_F(SideLogTest, GoesRoundAndRound) {
  std::mt19937 random(3);
  for (uint64_t i = 0; i < 300; ++i) {
    const std::string bytes(random() % 9000 + 1, static_cast<char>('a' + i % 26));
    uint64_t group = 0;
    ASSERT_TRUE(Append(1, i, bytes, &group).ok()) << i;
    ASSERT_TRUE(log_->Sync(group).ok());
    const std::vector<Found> found = Scan();
    ASSERT_FALSE(found.empty());
    EXPECT_EQ(found.back().offset, i);
    EXPECT_EQ(found.back().bytes, bytes);
    log_->FileDurable(StreamNumber(1), i);
  }
  EXPECT_EQ(device_.Violations(), "");
}

TEST_F(SideLogTest, AFailedWriteIsAnErrorForAllThatWaitAndComeLater) {
  ASSERT_TRUE(Put(1, 0, "safe").ok());
  device_.Fail({DeviceCall::kWrite, EIO});
  EXPECT_EQ(Put(1, 4, "lost").code(), Status::Code::kIoError);
  EXPECT_FALSE(Put(1, 8, "too late").ok());
  uint64_t group = 0;
  (void)Append(1, 8, "too late", &group);
  EXPECT_FALSE(log_->Sync(group).ok());
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
  std::unique_ptr<SideLog> successor;  // another process, that takes the first for dead
  ASSERT_NO_FATAL_FAILURE(TakeOverLog(1, &successor));
  uint64_t group = 0;
  ASSERT_TRUE(successor->Append({StreamNumber(2), 0, {"new", 3}}, &group).ok());
  ASSERT_TRUE(successor->Sync(group).ok());
  // The old one goes on where it was: a device that cannot fence does not tell it.
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(Put(3, i, "stale").ok());
  }
  std::vector<Found> found = Scan();
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].bytes, "before");
  EXPECT_EQ(found[1].bytes, "new");
  // It learns of it when it moves the head, and does not move it.
  log_->Forget(StreamNumber(1));
  log_->Forget(StreamNumber(3));
  Status status;
  for (uint64_t i = 0; i < 2 * kGroupCount && status.ok(); ++i) {
    status = Put(3, i, std::string(kGroupBytes - 200, 's'));
    log_->Forget(StreamNumber(3));
  }
  EXPECT_EQ(status.code(), Status::Code::kClosed) << status.ToString();
  EXPECT_EQ(OpenSpace(&device_)->superblock().epoch, successor->space().superblock().epoch);
}

// What a dead writer had under way may arrive later.
TEST_F(SideLogTest, ALateWriteOfADeadWriterHarmsNothing) {
  OpenLog(SideLog::kMaxInFlight);
  ASSERT_TRUE(Put(1, 0, "before").ok());
  device_.Hold(DeviceCall::kWrite);
  std::thread late([&] { (void)Put(1, 6, "late"); });
  ASSERT_TRUE(device_.AwaitHeld());
  std::unique_ptr<SideLog> successor;
  ASSERT_NO_FATAL_FAILURE(TakeOverLog(1, &successor));
  uint64_t group = 0;
  ASSERT_TRUE(successor->Append({StreamNumber(2), 0, {"new", 3}}, &group).ok());
  ASSERT_TRUE(successor->Sync(group).ok());
  device_.Release();
  late.join();
  const std::vector<Found> found = Scan();
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[1].bytes, "new");
}

TEST_F(SideLogTest, LivesFollowEachOther) {
  for (uint64_t life = 0; life < 6; ++life) {  // as many as there is room for
    ASSERT_TRUE(Put(1, life, "life " + std::to_string(life)).ok());
    uint64_t group = 0;
    ASSERT_TRUE(Append(1, 1000, "never synced", &group).ok());
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
          uint64_t group = 0;
          if (!Append(thread + 100 * in_flight, i, bytes, &group).ok()) {
            return;  // full
          }
          if (random() % 3 == 0) {
            ASSERT_TRUE(log_->Sync(group).ok());
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

}  // namespace
}  // namespace lss
