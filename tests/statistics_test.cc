#include "db_bench_ext/statistics.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace bloom_lfs::bench
