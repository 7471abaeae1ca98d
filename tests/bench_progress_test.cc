#include <gtest/gtest.h>

#include "db_bench_ext/progress.h"

namespace bloom_lfs::bench {
namespace {

TEST(ProgressTest, NothingIsKnownBeforeTheFirstPair) {
  EXPECT_FALSE(EstimateSecondsLeft({{0, 0}, 0, 0, 5}).has_value());
  EXPECT_FALSE(EstimateSecondsLeft({{}, 0, 0, 5}).has_value());
}

TEST(ProgressTest, RowsThatWereNotMeasuredYetTakeTheMeanOfTheOthers) {
  // 4 more of each of the first two, 5 of the third.
  EXPECT_DOUBLE_EQ(EstimateSecondsLeft({{10, 20, 0}, 0, 2, 5}).value_or(0), 40 + 80 + 75);
}

TEST(ProgressTest, RowsThatWereGivenUpTakeNoTime) {
  EXPECT_DOUBLE_EQ(EstimateSecondsLeft({{10, -1}, 2, 0, 5}).value_or(0), 30);
}

TEST(ProgressTest, AtTheEndOnlyTheLastPairIsLeft) {
  EXPECT_DOUBLE_EQ(EstimateSecondsLeft({{10, 20}, 4, 1, 5}).value_or(0), 20);
}

}  // namespace
}  // namespace bloom_lfs::bench
