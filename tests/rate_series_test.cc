// Operations over the time of a run, from what db_bench says on its standard error.

#include "db_bench_ext/rate_series.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <numeric>
#include <string>

#include "db_bench_ext/workload_set.h"

namespace bloom_lfs::bench {
namespace {

// As db_bench 7.8.3 and 11.8.1 print it.
std::string ReportLine(int thread, int done, double at_s) {
  char line[200];
  std::snprintf(line, sizeof(line),
                "2026/11/27-23:17:15  ... thread %d: (50,%d) ops and (292.0,568.3) ops/second in "
                "(0.171252,%.6f) seconds\n",
                thread, done, at_s);
  return line;
}

// 100 operations in every 10 ms.
std::string SteadyLines(int thread, int reports) {
  std::string lines;
  for (int i = 1; i <= reports; ++i) lines += ReportLine(thread, 100 * i, 0.01 * i);
  return lines;
}

double OperationsOf(const RateSeries& series) {
  return std::accumulate(series.ops_per_s.begin(), series.ops_per_s.end(), 0.0) * series.interval_s;
}

TEST(RateSeriesTest, ASteadyRunIsALine) {
  const auto series = ReadRateSeries("RocksDB: version 7.8.3\n" + SteadyLines(0, 200), 2, 20000);
  ASSERT_TRUE(series.has_value());
  EXPECT_DOUBLE_EQ(series->interval_s, 0.02);
  ASSERT_EQ(series->ops_per_s.size(), 100U);
  for (const double rate : series->ops_per_s) EXPECT_NEAR(rate, 10000, 0.2);
  EXPECT_TRUE(FindStalls(*series).empty());
}

TEST(RateSeriesTest, ThreadsAreAddedUp) {
  const auto series =
      ReadRateSeries(SteadyLines(0, 200) + SteadyLines(1, 200) + SteadyLines(2, 200), 2, 60000);
  ASSERT_TRUE(series.has_value());
  for (const double rate : series->ops_per_s) EXPECT_NEAR(rate, 30000, 0.2);
}

TEST(RateSeriesTest, NoOperationIsLostAndNoneIsCountedTwice) {
  // Reports that do not fit the intervals, and 70 operations after the last of them.
  std::string lines;
  for (int i = 1; i <= 31; ++i) lines += ReportLine(0, 37 * i, 0.0131 * i * (1 + i % 3));
  const auto unsteady = ReadRateSeries(lines, 2.5, 5000);
  ASSERT_FALSE(unsteady.has_value()) << "time that goes back is another benchmark";
  lines.clear();
  for (int i = 1; i <= 31; ++i) lines += ReportLine(0, 37 * i, 0.0131 * i * i);
  const auto series = ReadRateSeries(lines, 15, 31 * 37 + 70);
  ASSERT_TRUE(series.has_value());
  EXPECT_NEAR(OperationsOf(*series), 31 * 37 + 70, 1);
  EXPECT_DOUBLE_EQ(series->interval_s, 0.5) << "the reports are that far apart";
}

TEST(RateSeriesTest, WhereItStoodStillIsAStall) {
  std::string lines = SteadyLines(0, 50);
  for (int i = 51; i <= 100; ++i) lines += ReportLine(0, 100 * i, 0.01 * i + 0.4);
  const auto series = ReadRateSeries(lines, 1.4, 10000);
  ASSERT_TRUE(series.has_value());
  const std::vector<Stall> stalls = FindStalls(*series);
  ASSERT_EQ(stalls.size(), 1U);
  EXPECT_NEAR(stalls[0].begin_s, 0.5, 0.021);
  EXPECT_NEAR(stalls[0].end_s, 0.9, 0.021);
}

TEST(RateSeriesTest, AStallAtTheEndHasNoReportAndIsSeen) {
  const auto series = ReadRateSeries(SteadyLines(0, 100), 1.5, 10001);
  ASSERT_TRUE(series.has_value());
  const std::vector<Stall> stalls = FindStalls(*series);
  ASSERT_EQ(stalls.size(), 1U);
  EXPECT_NEAR(stalls[0].end_s, 1.5, 0.021);
}

TEST(RateSeriesTest, MostOfARunMayBeAStall) {
  const auto series = ReadRateSeries(SteadyLines(0, 100) + ReportLine(0, 10001, 10), 10, 10001);
  ASSERT_TRUE(series.has_value());
  ASSERT_EQ(FindStalls(*series).size(), 1U);
  EXPECT_NEAR(FindStalls(*series)[0].begin_s, 1, 0.11);
}

TEST(RateSeriesTest, StallsThatDoNotTouchAreTwo) {
  const std::vector<Stall> stalls = FindStalls({0.5, {0, 100, 100, 0, 19, 100, 0}});
  ASSERT_EQ(stalls.size(), 3U);
  EXPECT_DOUBLE_EQ(stalls[0].end_s, 0.5);
  EXPECT_DOUBLE_EQ(stalls[1].begin_s, 1.5);
  EXPECT_DOUBLE_EQ(stalls[1].end_s, 2) << "19 are more than a fifth of the mean of 45.6";
  EXPECT_TRUE(FindStalls({0.5, {0, 0}}).empty());
}

TEST(RateSeriesTest, TheNextBenchmarkOfTheProcessIsNotInIt) {
  const auto alone = ReadRateSeries(SteadyLines(0, 100), 1, 10000);
  const auto series =
      ReadRateSeries(SteadyLines(0, 100) + ReportLine(0, 100, 0.5) + SteadyLines(0, 50), 1, 10000);
  ASSERT_TRUE(series.has_value());
  EXPECT_EQ(series->ops_per_s, alone->ops_per_s);
}

TEST(RateSeriesTest, OfFewReportsOrNonsenseNothingIsMade) {
  EXPECT_FALSE(ReadRateSeries("", 2, 100).has_value());
  EXPECT_FALSE(ReadRateSeries(SteadyLines(0, 9), 2, 900).has_value());
  std::string nonsense;
  for (int i = 0; i < 20; ++i) {
    nonsense += "... thread 0: (1,2) ops and (nan,inf) ops/second in (0.1,nan) seconds\n";
    nonsense += "... thread 0: (1,2) ops and (1,1) ops/second in (0.1,-5) seconds\n";
    nonsense += "... thread 0: (1,2) ops and (1,1) ops/second in (0.1,1e300) seconds\n... thread ";
  }
  EXPECT_FALSE(ReadRateSeries(nonsense, 2, 100).has_value());
  EXPECT_FALSE(ReadRateSeries(SteadyLines(0, 20), 1e300, 10000000).has_value());
}

TEST(RateSeriesTest, ALongRunHasNoMoreIntervalsThanAPlotCanShow) {
  std::string lines;
  for (int i = 1; i <= 10000; ++i) lines += ReportLine(0, i, 0.1 * i);
  const auto series = ReadRateSeries(lines, 1000, 10000);
  ASSERT_TRUE(series.has_value());
  EXPECT_DOUBLE_EQ(series->interval_s, 5);
  EXPECT_EQ(series->ops_per_s.size(), 200U);
}

TEST(OperationsPerReportTest, RowsOfAllKindsReportOftenAndNotTooOften) {
  const auto of = [](const std::string& name, double scale = 1) {
    const auto all = FindWorkloadSet("all").value().workloads;
    return OperationsPerReport(SelectWorkloads(all, name).value().front(), scale);
  };
  EXPECT_EQ(of("fillsync"), 10);
  EXPECT_EQ(of("fillrandom-sync-8-threads"), 20);
  EXPECT_EQ(of("sync-batches"), 1000);
  EXPECT_EQ(of("fillseq"), 3000);
  EXPECT_EQ(of("fillseq", 0.001), 3);
  EXPECT_EQ(of("readwhilewriting"), 0) << "readers and the writer in one figure";
  EXPECT_EQ(of("open-put-close"), 0) << "no db_bench";
}

}  // namespace
}  // namespace bloom_lfs::bench
