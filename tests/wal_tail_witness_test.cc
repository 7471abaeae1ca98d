// Records in several pieces, read through a ring whose buffers may hold the bytes of a later lap:
// each piece is whole, and together they are a record that nobody has written.
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "plugin/wal_tail.h"
#include "tests/support/wal_builder.h"

namespace bloom_lfs {
namespace {

using test::Payload;
using test::WalBuilder;

constexpr size_t kBlock = WalBuilder::kBlockSize;
constexpr uint64_t kLap = 2 * kBlock;
// The file has the first record by itself.
constexpr uint64_t kFirstEnds = 30000 + WalSequence::kPrefixBytes + 7;
constexpr WalSequenceRule kStrict = {kFirstEnds, 0, kLap};
constexpr WalSequenceRule kLenient = {kFirstEnds, WalSequenceRule::kNobody, kLap};

WalTail Scan(const std::string& log, const WalSequenceRule& rule) {
  const TailReadFunction read = [&](uint64_t offset, size_t n, char* scratch) -> int64_t {
    return static_cast<int64_t>(offset < log.size() ? log.copy(scratch, n, offset) : 0);
  };
  return FindWalTail(read, log.size(), std::nullopt, rule);
}

// Three records; the second begins in the first block and ends in the next.
WalBuilder ThreeRecords(uint64_t sequence, size_t length, uint32_t seed) {
  WalBuilder log;
  log.AddBatch(sequence, 1, Payload(30000, seed));
  log.AddBatch(sequence + 1, 1, Payload(length, seed + 1));
  log.AddBatch(sequence + 2, 1, Payload(100, seed + 2));
  return log;
}

TEST(WalTailWitnessTest, APieceOfALaterLapCompletesNoRecord) {
  const WalBuilder log = ThreeRecords(1, 9000, 1);
  for (const size_t length : {3500, 9000, 20000}) {
    SCOPED_TRACE(length);
    const std::string later = ThreeRecords(500, length, 50).bytes().substr(kBlock);
    const std::string mixed = log.bytes().substr(0, kBlock) + later;
    EXPECT_GT(Scan(mixed, {}).end, kBlock) << "nobody doubts: a record that was never written";
    const WalTail tail = Scan(mixed, kStrict);
    EXPECT_EQ(tail.end, log.ends()[0]) << tail.ToString();
    EXPECT_EQ(tail.records, 1U);
    EXPECT_EQ(tail.last_sequence, 1U);
    // The later lap's next record is not there: nothing says whose the piece is.
    const std::string cut = mixed.substr(0, mixed.size() - 50);
    EXPECT_EQ(Scan(cut, kStrict).end, log.ends()[0]);
    const std::string zeros = mixed.substr(0, mixed.size() - 119) + std::string(4096, '\0');
    EXPECT_EQ(Scan(zeros, kStrict).end, log.ends()[0]);
  }
}

TEST(WalTailWitnessTest, TheNextRecordIsAWitness) {
  const WalBuilder log = ThreeRecords(1, 9000, 1);
  EXPECT_EQ(Scan(log.bytes(), kStrict).end, log.size());
  // Its beginning will do.
  EXPECT_EQ(Scan(log.bytes() + std::string(100, '\0'), kStrict).end, log.size());
  WalBuilder torn = ThreeRecords(1, 9000, 1);
  torn.AddBatch(4, 1, Payload(40000)).AddBatch(5, 1, Payload(70000));
  EXPECT_EQ(Scan(torn.bytes().substr(0, torn.size() - 10), kStrict).end, torn.ends()[3])
      << "a record in pieces whose successor is torn behind its number";
  EXPECT_EQ(Scan(torn.bytes(), kStrict).end, torn.size());
}

TEST(WalTailWitnessTest, SoIsTheEndOfTheLog) {
  const WalBuilder log = ThreeRecords(1, 9000, 1);
  const std::string two = log.bytes().substr(0, log.ends()[1]);
  EXPECT_EQ(Scan(two, kStrict).end, two.size());
  EXPECT_EQ(Scan(two + std::string(200, '\0'), kStrict).end, log.ends()[0])
      << "more was promised than is there";
}

TEST(WalTailWitnessTest, NumbersThatWereLeftOutAreNone) {
  WalBuilder log;
  log.AddBatch(1, 1, Payload(30000)).AddBatch(7, 1, Payload(9000)).AddBatch(20, 1, Payload(50));
  EXPECT_EQ(Scan(log.bytes(), kLenient).end, log.size());
  WalBuilder later;
  later.AddBatch(1, 1, Payload(100)).AddBatch(7, 1, Payload(100));  // none in pieces
  later.AddBatch(8, 1, Payload(60000)).AddBatch(90, 1, Payload(100));
  const WalSequenceRule strict_from_the_third = {later.ends()[0], later.ends()[1], kLap};
  EXPECT_EQ(Scan(later.bytes(), strict_from_the_third).end, later.ends()[1]);
}

TEST(WalTailWitnessTest, WhatTheFileHasByItselfNeedsNone) {
  const WalBuilder log = ThreeRecords(1, 9000, 1);
  const WalSequenceRule behind = {log.ends()[1], 0, kLap};
  EXPECT_EQ(Scan(log.bytes().substr(0, log.ends()[1]) + std::string(64, '\0'), behind).end,
            log.ends()[1]);
}

}  // namespace
}  // namespace bloom_lfs
