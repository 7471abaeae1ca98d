// Which records of a WAL follow one another, by their sequence numbers.
#include "plugin/wal_sequence.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

namespace bloom_lfs {
namespace {

struct Batch {
  uint64_t sequence;
  uint32_t count;
};

std::string Bytes(const Batch& batch) {
  std::string bytes(12, '\0');
  std::memcpy(&bytes[0], &batch.sequence, 8);
  std::memcpy(&bytes[8], &batch.count, 4);
  return bytes + "entries";
}

// How many of the batches follow; each ends ten bytes behind the one before it.
size_t Followers(const WalSequenceRule& rule, const std::vector<Batch>& batches) {
  WalSequence sequence(rule);
  for (size_t i = 0; i < batches.size(); ++i) {
    const std::string bytes = Bytes(batches[i]);
    sequence.BeginRecord();
    sequence.AddPayload(bytes.data(), bytes.size());
    if (!sequence.EndRecord((i + 1) * 10, /*readable=*/true)) {
      return i;
    }
  }
  return batches.size();
}

constexpr WalSequenceRule kStrictFromTheSecond = {10, 0};
constexpr WalSequenceRule kLenientFromTheSecond = {10, UINT64_MAX};

TEST(WalSequence, WithoutARuleEverythingFollows) {
  EXPECT_EQ(Followers({}, {{5, 1}, {3, 1}, {100, 1}}), 3U);
}

TEST(WalSequence, JudgedRecordsFollow) {
  const struct {
    const char* name;
    std::vector<Batch> batches;
    size_t strict;
    size_t lenient;
  } rows[] = {
      {"one after the other", {{5, 2}, {7, 1}, {8, 3}}, 3, 3},
      {"of an earlier lap", {{5, 2}, {4, 1}, {7, 1}}, 1, 1},
      {"of a later lap", {{5, 2}, {8, 1}, {9, 1}}, 1, 3},
      {"a prepared transaction takes no number", {{5, 1}, {6, 9}, {6, 1}, {7, 1}}, 4, 4},
      {"batches that count as one", {{5, 9}, {6, 9}, {7, 9}}, 3, 3},
      {"an empty batch", {{5, 1}, {6, 0}, {6, 1}}, 3, 3},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(Followers(kStrictFromTheSecond, row.batches), row.strict) << row.name;
    EXPECT_EQ(Followers(kLenientFromTheSecond, row.batches), row.lenient) << row.name;
  }
}

TEST(WalSequence, ALogThatHasLeftOutNumbersMayDoSoAgain) {
  const WalSequenceRule strict_from_the_third = {20, 0};
  EXPECT_EQ(Followers(strict_from_the_third, {{5, 1}, {6, 1}, {9, 1}}), 2U);
  EXPECT_EQ(Followers(strict_from_the_third, {{5, 1}, {7, 1}, {9, 1}}), 3U);
}

TEST(WalSequence, TheFirstOfAllHasNothingToFollow) {
  EXPECT_EQ(Followers({0, 0}, {{5, 1}}), 0U);
  EXPECT_EQ(Followers({0, 10}, {{5, 1}, {6, 1}}), 2U);
}

TEST(WalSequence, WhatCannotBeReadCountsOnlyWhereGapsDo) {
  WalSequence lenient({0, 10});
  lenient.BeginRecord();
  EXPECT_TRUE(lenient.EndRecord(10, /*readable=*/false));
  EXPECT_FALSE(lenient.EndRecord(11, /*readable=*/false));
  WalSequence unjudged({10, 0});
  EXPECT_TRUE(unjudged.EndRecord(10, /*readable=*/false));
}

TEST(WalSequence, TheNumberMayBeSpreadOverFragments) {
  const std::string bytes = Bytes({0x0102030405060708, 1});
  WalSequence sequence({});
  sequence.BeginRecord();
  for (const char byte : bytes) {
    sequence.AddPayload(&byte, 1);
  }
  ASSERT_TRUE(sequence.EndRecord(10, /*readable=*/true));
  EXPECT_EQ(sequence.last(), 0x0102030405060708U);
  EXPECT_EQ(sequence.first(), 0x0102030405060708U);
}

}  // namespace
}  // namespace bloom_lfs
