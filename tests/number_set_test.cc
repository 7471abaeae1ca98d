// File numbers kept as ranges.
#include "plugin/number_set.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace bloom_lfs {
namespace {

TEST(NumberSet, HoldsWhatWasAddedAndNothingInBetween) {
  NumberSet set;
  EXPECT_FALSE(set.Contains(0));
  EXPECT_EQ(set.Max(), 0U);
  for (const uint64_t number : {7, 9, 12}) {
    set.Add(number);
  }
  EXPECT_TRUE(set.Contains(7) && set.Contains(9) && set.Contains(12));
  EXPECT_FALSE(set.Contains(6) || set.Contains(8) || set.Contains(10) || set.Contains(13));
  EXPECT_EQ(set.Max(), 12U);
}

TEST(NumberSet, NeighboursAreOneRange) {
  NumberSet set;
  set.Add(5);
  set.Add(7);
  EXPECT_EQ(set.ranges(), 2U);
  set.Add(6);
  set.Add(6);
  set.Add(4);
  set.Add(8);
  EXPECT_EQ(set.ranges(), 1U);
  EXPECT_TRUE(set.Contains(4) && set.Contains(8));
  EXPECT_FALSE(set.Contains(3) || set.Contains(9));
}

TEST(NumberSet, IsASetInAnyOrder) {
  std::mt19937 random(20261126);
  NumberSet set;
  std::set<uint64_t> expected;
  for (int i = 0; i < 2000; ++i) {
    const uint64_t number = random() % 3000;
    set.Add(number);
    expected.insert(number);
  }
  for (uint64_t number = 0; number < 3000; ++number) {
    EXPECT_EQ(set.Contains(number), expected.count(number) > 0) << number;
  }
  EXPECT_EQ(set.Max(), *expected.rbegin());
}

TEST(NumberSet, IsBoundedAndForgetsTheLowest) {
  NumberSet set;
  for (uint64_t number = 0; number < 3 * NumberSet::kRangesMax; ++number) {
    set.Add(2 * number);
  }
  EXPECT_EQ(set.ranges(), NumberSet::kRangesMax);
  EXPECT_FALSE(set.Contains(0));
  EXPECT_TRUE(set.Contains(set.Max()));
}

}  // namespace
}  // namespace bloom_lfs
