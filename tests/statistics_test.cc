#include "db_bench_ext/statistics.h"

#include <gtest/gtest.h>

#include <optional>
#include <random>
#include <vector>

namespace bloom_lfs::bench {
namespace {

TEST(StatisticsTest, MedianOfAnOddNumberOfSamplesIsTheMiddleOne) {
  EXPECT_DOUBLE_EQ(Median({5, 1, 9}), 5);
  EXPECT_DOUBLE_EQ(Median({7}), 7);
}

TEST(StatisticsTest, MedianOfAnEvenNumberOfSamplesIsTheMeanOfTheMiddleTwo) {
  EXPECT_DOUBLE_EQ(Median({4, 1, 3, 100}), 3.5);
}

TEST(StatisticsTest, MedianIsNotMovedByOneOutlier) {
  EXPECT_DOUBLE_EQ(Median({10, 11, 12, 13, 1e9}), 12);
}

TEST(StatisticsTest, SpreadIsTheSmallestAndTheLargestSample) {
  const Spread spread = SpreadOf({3, -2, 8, 5});
  EXPECT_DOUBLE_EQ(spread.min, -2);
  EXPECT_DOUBLE_EQ(spread.max, 8);
}

TEST(StatisticsTest, RatiosComparePairByPair) {
  EXPECT_EQ(PairwiseRatios({6, 10}, {3, 20}), (std::vector<double>{2, 0.5}));
}

TEST(StatisticsTest, PercentileIsTheSampleThatTheGivenShareDoesNotExceed) {
  std::vector<double> samples;
  for (int i = 1000; i >= 1; --i) samples.push_back(i);
  EXPECT_DOUBLE_EQ(Percentile(samples, 99.9), 999);
  EXPECT_DOUBLE_EQ(Percentile(samples, 50), 500);
  EXPECT_DOUBLE_EQ(Percentile(samples, 100), 1000);
}

TEST(StatisticsTest, AHighPercentileOfFewSamplesIsTheLargest) {
  EXPECT_DOUBLE_EQ(Percentile({2, 1, 3}, 99.9), 3);
  EXPECT_DOUBLE_EQ(Percentile({4}, 0.1), 4);
}

TEST(MedianIntervalTest, TooFewSamplesHaveNone) {
  EXPECT_FALSE(MedianInterval({}).has_value());
  EXPECT_FALSE(MedianInterval({1.1, 1.2, 1.3, 1.4}).has_value());
}

TEST(MedianIntervalTest, OfFewSamplesItIsTheirSpread) {
  const std::optional<Interval> interval = MedianInterval({1.3, 1.1, 1.2, 1.5, 0.9});
  ASSERT_TRUE(interval.has_value());
  EXPECT_DOUBLE_EQ(interval->low, 0.9);
  EXPECT_DOUBLE_EQ(interval->high, 1.5);
  EXPECT_TRUE(interval->Covers(1));
  EXPECT_FALSE(interval->Covers(1.51));
}

TEST(MedianIntervalTest, AnOutlierOfManySamplesIsNotInIt) {
  std::vector<double> samples = {0.2, 9};
  for (int i = 0; i < 19; ++i) samples.push_back(1.30 + 0.01 * i);
  const std::optional<Interval> interval = MedianInterval(samples);
  ASSERT_TRUE(interval.has_value());
  EXPECT_GT(interval->low, 1.29);
  EXPECT_LT(interval->high, 1.49);
  EXPECT_LT(interval->low, interval->high);
  EXPECT_TRUE(interval->Covers(Median(samples)));
}

TEST(MedianIntervalTest, TheSameSamplesGiveTheSameInterval) {
  const std::vector<double> samples = {1.11, 1.32, 0.93, 1.24, 1.05, 1.16, 0.87, 1.48, 1.29};
  EXPECT_EQ(MedianInterval(samples)->low, MedianInterval(samples)->low);
  EXPECT_EQ(MedianInterval(samples)->high, MedianInterval(samples)->high);
}

// What the interval promises: it misses the true median in one of twenty experiments or so.
TEST(MedianIntervalTest, ItCoversTheTruthInNineteenOfTwentyExperiments) {
  std::mt19937_64 draw(7);
  constexpr int kExperiments = 100;
  int covered = 0;
  for (int experiment = 0; experiment < kExperiments; ++experiment) {
    std::vector<double> samples;
    for (int i = 0; i < 15; ++i) samples.push_back(1 + static_cast<double>(draw() % 1001) / 1000);
    if (MedianInterval(samples)->Covers(1.5)) ++covered;
  }
  EXPECT_GE(covered, 89);
  EXPECT_LT(covered, 100) << "an interval that is always right is too wide";
}

}  // namespace
}  // namespace bloom_lfs::bench
