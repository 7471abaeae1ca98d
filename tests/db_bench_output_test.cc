#include "db_bench_ext/db_bench_output.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "db_bench_ext/text_lines.h"

namespace bloom_lfs::bench {
namespace {

// What db_bench 7.8.3 really prints around its result.
const char kFillsync[] =
    "Initializing RocksDB Options from the specified file\n"
    "Keys:       16 bytes each (+ 0 bytes user-defined timestamp)\n"
    "WARNING: Assertions are enabled; benchmarks unnecessarily slow\n"
    "------------------------------------------------\n"
    "DB path: [/tmp/db]\n"
    "fillsync     :     162.843 micros/op 6140 ops/sec 3.257 seconds 20000 operations;    0.7 MB/s "
    "(20 ops)\n";

const char kHistogram[] =
    "Microseconds per write:\n"
    "Count: 10000 Average: 270.6588  StdDev: 301.15\n"
    "Min: 114  Median: 234.4536  Max: 14219\n"
    "Percentiles: P50: 234.45 P75: 303.24 P99: 1072.83 P99.9: 4766.67 P99.99: 9900.00\n"
    "------------------------------------------------------\n";

TEST(DbBenchOutputTest, ReadsEveryFigureOfAResultLine) {
  const Result<DbBenchResult> result = ParseDbBenchOutput(kFillsync, "fillsync");
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_DOUBLE_EQ(result.value().micros_per_op, 162.843);
  EXPECT_DOUBLE_EQ(result.value().ops_per_s, 6140);
  EXPECT_DOUBLE_EQ(result.value().elapsed_s, 3.257);
  EXPECT_EQ(result.value().operations, 20000U);
  ASSERT_TRUE(result.value().mib_per_s.has_value());
  EXPECT_DOUBLE_EQ(*result.value().mib_per_s, 0.7);
  EXPECT_FALSE(result.value().latencies.has_value());
  EXPECT_FALSE(result.value().longest_us.has_value());
}

TEST(DbBenchOutputTest, ReadsThePercentileBelowTheResultLine) {
  const Result<DbBenchResult> result =
      ParseDbBenchOutput(std::string(kFillsync) + kHistogram, "fillsync");
  ASSERT_TRUE(result.ok()) << result.error().message;
  ASSERT_TRUE(result.value().latencies.has_value());
  EXPECT_DOUBLE_EQ(result.value().latencies->p50_us, 234.45);
  EXPECT_DOUBLE_EQ(result.value().latencies->p99_us, 1072.83);
  EXPECT_DOUBLE_EQ(result.value().latencies->p999_us, 4766.67);
  EXPECT_DOUBLE_EQ(result.value().latencies->p9999_us, 9900);
  EXPECT_DOUBLE_EQ(result.value().longest_us.value_or(0), 14219);
}

const char kIntervals[] = "secs_elapsed,interval_qps\n1,900\n2,1000\n4,300\n5,0\n6,2";

TEST(IntervalReportTest, HasALineForEachIntervalBelowItsHead) {
  const std::vector<ReportedInterval> intervals = ParseIntervalReport(kIntervals);
  ASSERT_EQ(intervals.size(), 5U);
  EXPECT_EQ(intervals[2].end_s, 4);
  EXPECT_EQ(intervals[2].operations, 300);
  EXPECT_TRUE(ParseIntervalReport("secs_elapsed,interval_qps\n").empty());
  EXPECT_TRUE(ParseIntervalReport("").empty());
}

TEST(IntervalReportTest, ARateIsOverTheTimeThatTheIntervalsTook) {
  const std::vector<ReportedInterval> intervals = ParseIntervalReport(kIntervals);
  EXPECT_DOUBLE_EQ(RateOf(intervals, 0, 2).value(), 950);
  EXPECT_DOUBLE_EQ(RateOf(intervals, 2, 4).value(), 100);
}

TEST(IntervalReportTest, WithoutAnIntervalThereIsNoRate) {
  const std::vector<ReportedInterval> intervals = ParseIntervalReport(kIntervals);
  EXPECT_FALSE(RateOf(intervals, 2, 2).ok());
  EXPECT_FALSE(RateOf(intervals, 3, 2).ok());
  EXPECT_FALSE(RateOf(intervals, 4, 6).ok());
}

TEST(DbBenchOutputTest, APercentileOfAnEarlierBenchmarkIsNotTaken) {
  const Result<DbBenchResult> result =
      ParseDbBenchOutput(std::string(kHistogram) + kFillsync, "fillsync");
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_FALSE(result.value().latencies.has_value());
}

TEST(DbBenchOutputTest, AResultLineWithoutThroughputInBytesIsEnough) {
  const Result<DbBenchResult> result = ParseDbBenchOutput(
      "fillseq      :       4.490 micros/op 222690 ops/sec 4.491 seconds 1000000 operations;\n",
      "fillseq");
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_DOUBLE_EQ(result.value().ops_per_s, 222690);
  EXPECT_FALSE(result.value().mib_per_s.has_value());
}

TEST(DbBenchOutputTest, AnotherBenchmarkWithTheSamePrefixIsNotTaken) {
  const std::string output =
      "fillsync2    : 1.000 micros/op 1 ops/sec 1.000 seconds 1 operations;\n"
      "fillsync [AVG 2 runs] : 5 (± 1) ops/sec\n";
  EXPECT_FALSE(ParseDbBenchOutput(output, "fillsync").ok());
}

TEST(DbBenchOutputTest, OfABenchmarkThatRanTwiceEitherIsRead) {
  const std::string output =
      std::string(kFillsync) +
      "fillsync     :     100.0 micros/op 10000 ops/sec 3.0 seconds 30000 operations;\n";
  EXPECT_EQ(ParseDbBenchOutput(output, "fillsync", 1).value().ops_per_s, 6140);
  EXPECT_EQ(ParseDbBenchOutput(output, "fillsync", 2).value().ops_per_s, 10000);
  EXPECT_FALSE(ParseDbBenchOutput(output, "fillsync", 3).ok());
}

TEST(DbBenchOutputTest, OutputWithoutAResultIsAnErrorThatQuotesIt) {
  const Result<DbBenchResult> result =
      ParseDbBenchOutput("DB path: [/tmp/db]\nput error: No space left on device\n", "fillsync");
  ASSERT_FALSE(result.ok());
  EXPECT_NE(result.error().message.find("fillsync"), std::string::npos);
  EXPECT_NE(result.error().message.find("No space left on device"), std::string::npos);
}

TEST(DbBenchOutputTest, ADamagedResultLineIsAnError) {
  EXPECT_FALSE(ParseDbBenchOutput("fillsync     :     162.843 micros/op 61", "fillsync").ok());
  EXPECT_FALSE(ParseDbBenchOutput("fillsync     :", "fillsync").ok());
  EXPECT_FALSE(ParseDbBenchOutput(
                   "fillsync : 0.000 micros/op 0 ops/sec 0.000 seconds 0 operations;\n", "fillsync")
                   .ok());
}

TEST(DbBenchOutputTest, EmptyOutputIsAnError) {
  EXPECT_FALSE(ParseDbBenchOutput("", "fillsync").ok());
}

TEST(DbBenchSecondsTest, AStepOfManySecondsHasATimeThoughItsRateIsZero) {
  const Result<double> seconds = ParseDbBenchSeconds(
      std::string(kFillsync) +
          "compact      :  2163743.000 micros/op 0 ops/sec 2.164 seconds 1 operations;\n",
      "compact");
  ASSERT_TRUE(seconds.ok()) << seconds.error().message;
  EXPECT_DOUBLE_EQ(seconds.value(), 2.163743);
  EXPECT_DOUBLE_EQ(
      ParseDbBenchSeconds("compact : 49.000 micros/op 20408 ops/sec 0.000 seconds 1 operations;\n",
                          "compact")
          .value(),
      49e-6);
  EXPECT_DOUBLE_EQ(  // two threads at once
      ParseDbBenchSeconds("compact : 2000000.000 micros/op 0 ops/sec 2.000 seconds 2 operations;\n",
                          "compact")
          .value(),
      2);
}

TEST(DbBenchSecondsTest, OutputWithoutTheStepIsAnError) {
  EXPECT_FALSE(ParseDbBenchSeconds(kFillsync, "compact").ok());
  EXPECT_FALSE(ParseDbBenchSeconds("compact      :  21", "compact").ok());
  const Result<double> none = ParseDbBenchSeconds(
      "compact : 0.000 micros/op 0 ops/sec 0.000 seconds 1 operations;\n", "compact");
  ASSERT_FALSE(none.ok());
  EXPECT_NE(none.error().message.find("took no time"), std::string::npos);
}

TEST(CumulativeWritesTest, ReadsEveryUnit) {
  const auto writes = [](const std::string& count) {
    return ParseCumulativeWrites("** DB Stats **\nCumulative writes: " + count +
                                 " writes, 190K keys, 190K commit groups\n");
  };
  EXPECT_DOUBLE_EQ(writes("9731").value(), 9731);
  EXPECT_DOUBLE_EQ(writes("190K").value(), 190e3);
  EXPECT_DOUBLE_EQ(writes("12M").value(), 12e6);
}

TEST(CumulativeWritesTest, OutputWithoutThemIsAnError) {
  EXPECT_FALSE(ParseCumulativeWrites(kFillsync).ok());
}

TEST(OpenReplayOutputTest, ReadsTheTime) {
  const Result<double> seconds =
      ParseOpenReplayOutput("open_replay: 131072 records in 1.500000 seconds\n");
  ASSERT_TRUE(seconds.ok()) << seconds.error().message;
  EXPECT_DOUBLE_EQ(seconds.value(), 1.5);
  EXPECT_FALSE(ParseOpenReplayOutput("open_put_close: 200 rounds in 2.4 seconds\n").ok());
}

TEST(PageStoreOutputTest, ReadsTheYardstickAndWhatWasMeasured) {
  const std::string output = "a\npage_store_benchmark: insert 1.2500 beside 2.0000\n";
  const auto figures = ParsePageStoreOutput(output, "insert");
  ASSERT_TRUE(figures.ok());
  EXPECT_EQ(figures.value().first, 2.0);
  EXPECT_EQ(figures.value().second, 1.25);
  EXPECT_FALSE(ParsePageStoreOutput(output, "cleaning").ok());
  EXPECT_FALSE(ParsePageStoreOutput("page_store_benchmark: insert 0.0 beside 2.0", "insert").ok());
}

TEST(OpenPutCloseOutputTest, ReadsTheTimeOfAllRounds) {
  const Result<double> seconds =
      ParseOpenPutCloseOutput("open_put_close: 200 rounds in 2.431000 seconds\n");
  ASSERT_TRUE(seconds.ok()) << seconds.error().message;
  EXPECT_DOUBLE_EQ(seconds.value(), 2.431);
}

TEST(OpenPutCloseOutputTest, OutputWithoutATimeIsAnError) {
  EXPECT_FALSE(ParseOpenPutCloseOutput("open_put_close: 200 rounds in\n").ok());
  EXPECT_FALSE(ParseOpenPutCloseOutput("open_put_close: 0 rounds in 1.0 seconds\n").ok());
  EXPECT_FALSE(ParseOpenPutCloseOutput("").ok());
}

TEST(TextLinesTest, ACarriageReturnEndsALine) {
  EXPECT_EQ(LastLines("... finished 100 ops\r... finished 200 ops\rdone\n", 2),
            "  ... finished 200 ops\n  done\n");
}

TEST(TextLinesTest, NothingIsSaidToBeNothing) { EXPECT_EQ(LastLines("\n\n", 5), "  (nothing)\n"); }

}  // namespace
}  // namespace bloom_lfs::bench
