#include "db_bench_ext/report.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <optional>
#include <string>

#include "db_bench_ext/format.h"

namespace bloom_lfs::bench {
namespace {

PairSample Pair(double stock, double plugin) {
  PairSample pair;
  pair.stock.metric = stock;
  pair.plugin.metric = plugin;
  return pair;
}

Comparison Compare(std::initializer_list<PairSample> pairs) {
  Comparison comparison;
  comparison.workload.name = "fillsync";
  comparison.workload.title = "fillsync, 100 B";
  comparison.workload.goals.floor_ratio = 1.4;
  comparison.pairs = pairs;
  return comparison;
}

Summary SummaryOf(double ratio, std::optional<double> share = std::nullopt) {
  Summary summary;
  summary.ratio = ratio;
  summary.share_of_bound = share;
  return summary;
}

TEST(SummaryTest, TheRatioIsThatOfTheMediansAndTheSpreadThatOfThePairs) {
  const Summary summary = Summarize(Compare({Pair(100, 150), Pair(200, 100), Pair(110, 220)}));
  EXPECT_DOUBLE_EQ(summary.stock_median, 110);
  EXPECT_DOUBLE_EQ(summary.plugin_median, 150);
  EXPECT_DOUBLE_EQ(summary.ratio, 150.0 / 110);
  EXPECT_DOUBLE_EQ(summary.pair_ratios.min, 0.5);
  EXPECT_DOUBLE_EQ(summary.pair_ratios.max, 2);
  EXPECT_FALSE(summary.share_of_bound.has_value());
}

TEST(SummaryTest, AShareComparesThePluginWithTheDeviceOfTheSamePair) {
  Comparison comparison = Compare({Pair(100, 150), Pair(50, 90)});
  comparison.workload.bound = Bound::kDurableOverwrites;
  comparison.pairs[0].durable_overwrites = DurableOverwrites{200, 0};
  comparison.pairs[1].durable_overwrites = DurableOverwrites{100, 0};
  const Summary summary = Summarize(comparison);
  ASSERT_TRUE(summary.share_of_bound.has_value());
  EXPECT_DOUBLE_EQ(*summary.share_of_bound, (0.75 + 0.9) / 2);
}

TEST(SummaryTest, AShareOfALatencyIsOneWhenThePluginIsAsFastAsTheDevice) {
  Comparison comparison = Compare({Pair(4000, 2000)});
  comparison.workload.metric = Metric::kP999Us;
  comparison.workload.bound = Bound::kDurableOverwriteP999;
  comparison.pairs[0].durable_overwrites = DurableOverwrites{0, 1000};
  EXPECT_DOUBLE_EQ(Summarize(comparison).share_of_bound.value_or(0), 0.5);
}

TEST(SummaryTest, SequentialWritesAreComparedInBytes) {
  Comparison comparison = Compare({Pair(100, 150)});
  comparison.workload.bound = Bound::kSequentialWrite;
  comparison.pairs[0].plugin.mib_per_s = 300;
  comparison.pairs[0].sequential_mib_per_s = 1200;
  EXPECT_DOUBLE_EQ(Summarize(comparison).share_of_bound.value_or(0), 0.25);
}

TEST(VerdictTest, MoreIsBetterForAThroughput) {
  Workload workload;
  workload.goals.floor_ratio = 1.25;
  workload.goals.aim_ratio = 1.5;
  EXPECT_EQ(Judge(workload, SummaryOf(1.24)), Verdict::kBelowFloor);
  EXPECT_EQ(Judge(workload, SummaryOf(1.25)), Verdict::kFloorMet);
  EXPECT_EQ(Judge(workload, SummaryOf(1.5)), Verdict::kAimMet);
}

TEST(VerdictTest, LessIsBetterForALatency) {
  Workload workload;
  workload.metric = Metric::kP999Us;
  workload.goals.floor_ratio = 0.5;
  workload.goals.aim_ratio = 0.2;
  EXPECT_EQ(Judge(workload, SummaryOf(0.51)), Verdict::kBelowFloor);
  EXPECT_EQ(Judge(workload, SummaryOf(0.5)), Verdict::kFloorMet);
  EXPECT_EQ(Judge(workload, SummaryOf(0.2)), Verdict::kAimMet);
}

TEST(VerdictTest, AFloorOnTheShareHoldsBesideTheFloorOnTheRatio) {
  Workload workload;
  workload.goals.floor_ratio = 1.4;
  workload.goals.floor_share = 0.85;
  workload.goals.aim_share = 0.95;
  EXPECT_EQ(Judge(workload, SummaryOf(1.39, 0.99)), Verdict::kBelowFloor);
  EXPECT_EQ(Judge(workload, SummaryOf(2.0, 0.84)), Verdict::kBelowFloor);
  EXPECT_EQ(Judge(workload, SummaryOf(1.4, 0.85)), Verdict::kFloorMet);
  EXPECT_EQ(Judge(workload, SummaryOf(1.4, 0.95)), Verdict::kAimMet);
}

TEST(VerdictTest, AGoalMayBeThePluginsOwnFigure) {
  Workload workload;
  workload.metric = Metric::kLongestUs;
  workload.goals.floor_value = 200000;
  workload.goals.aim_value = 120000;
  const auto verdict = [&](double longest_us) {
    Summary summary = SummaryOf(9);
    summary.plugin_median = longest_us;
    return Judge(workload, summary);
  };
  EXPECT_EQ(verdict(200001), Verdict::kBelowFloor);
  EXPECT_EQ(verdict(200000), Verdict::kFloorMet);
  EXPECT_EQ(verdict(120000), Verdict::kAimMet);
}

TEST(VerdictTest, AShareThatWasNotMeasuredIsNotMet) {
  Workload workload;
  workload.goals.floor_ratio = 1.4;
  workload.goals.floor_share = 0.85;
  EXPECT_EQ(Judge(workload, SummaryOf(9.9)), Verdict::kBelowFloor);
}

TEST(VerdictTest, WithoutAnyGoalThereIsNone) {
  EXPECT_EQ(Judge(Workload(), SummaryOf(0.1)), Verdict::kNoGoal);
}

TEST(VerdictTest, WithoutAnAimTheFloorIsTheBestThereIs) {
  Workload workload;
  workload.metric = Metric::kElapsedS;
  workload.goals.floor_ratio = 1.15;
  EXPECT_EQ(Judge(workload, SummaryOf(0.5)), Verdict::kFloorMet);
}

TEST(ReportTest, AMarkdownTableHasOneLinePerWorkloadBelowItsHead) {
  const std::string report = RenderReport({Compare({Pair(4000, 6000)})}, {{"kernel", "Linux 6"}},
                                          {TableStyle::kMarkdown, false});
  EXPECT_NE(report.find("- kernel: Linux 6\n"), std::string::npos) << report;
  EXPECT_NE(report.find("| --- | --- |"), std::string::npos) << report;
  EXPECT_NE(
      report.find("| fillsync, 100 B | 4,000 ops/s | 6,000 ops/s | 1.50× | – | 1 | 1.50–1.50 | – "
                  "| ≥ 1.40× | – | floor met |\n"),
      std::string::npos)
      << report;
}

TEST(ReportTest, AGoalForThePluginsOwnFigureHasTheFiguresUnit) {
  Comparison comparison = Compare({Pair(10000000, 103000)});
  comparison.workload.metric = Metric::kLongestUs;
  comparison.workload.goals = {};
  comparison.workload.goals.floor_value = 200000;
  comparison.workload.goals.aim_value = 120000;
  const std::string report = RenderReport({comparison}, {}, {TableStyle::kMarkdown, false});
  EXPECT_NE(
      report.find("| 10,000 ms | 103 ms | 0.01× | – | 1 | 0.01–0.01 | – | ≤ 200 ms | ≤ 120 ms | "
                  "aim met |\n"),
      std::string::npos)
      << report;
}

TEST(DifferenceTest, AnIntervalThatCoversOneShowsNone) {
  EXPECT_EQ(FindDifference(Metric::kOpsPerS, std::nullopt), Difference::kUnknown);
  EXPECT_EQ(FindDifference(Metric::kOpsPerS, Interval{0.9, 1.2}), Difference::kNone);
  EXPECT_EQ(FindDifference(Metric::kOpsPerS, Interval{1.1, 1.2}), Difference::kBetter);
  EXPECT_EQ(FindDifference(Metric::kOpsPerS, Interval{0.8, 0.9}), Difference::kWorse);
  EXPECT_EQ(FindDifference(Metric::kP999Us, Interval{1.1, 1.2}), Difference::kWorse);
  EXPECT_EQ(FindDifference(Metric::kP999Us, Interval{0.8, 0.9}), Difference::kBetter);
}

TEST(ReportTest, ARowWhoseIntervalCoversOneSaysThatThereIsNoDifference) {
  Comparison comparison =
      Compare({Pair(100, 150), Pair(100, 90), Pair(100, 160), Pair(100, 150), Pair(100, 150)});
  const std::string report = RenderReport({comparison}, {}, {TableStyle::kMarkdown, false});
  EXPECT_NE(report.find("1.50× | 0.90–1.60 | 5 | "), std::string::npos) << report;
  EXPECT_NE(report.find("| no difference, floor met |"), std::string::npos) << report;
  comparison.pairs[1] = Pair(100, 145);
  EXPECT_EQ(RenderReport({comparison}, {}, {}).find("no difference"), std::string::npos);
}

TEST(ReportTest, ASelfCheckJudgesNothing) {
  const std::string report =
      RenderReport({Compare({Pair(4000, 4000)})}, {}, {TableStyle::kText, true});
  EXPECT_NE(report.find("self-check"), std::string::npos) << report;
  EXPECT_EQ(report.find("below floor"), std::string::npos) << report;
}

TEST(ReportTest, AFailedWorkloadKeepsItsRowAndGivesItsReason) {
  Comparison failed = Compare({});
  failed.failure = Error{"plugin: the child exited with 1"};
  const std::string report = RenderReport({failed}, {}, {});
  EXPECT_NE(report.find("FAILED"), std::string::npos) << report;
  EXPECT_NE(report.find("the child exited with 1"), std::string::npos) << report;
}

TEST(ReportTest, AWorkloadThatCannotBeMeasuredHereKeepsItsRowAndGivesTheReason) {
  Comparison comparison;
  comparison.workload.name = "flash-warm";
  comparison.workload.title = "warm";
  comparison.skipped = "a slow disk needs root";
  const std::string report = RenderReport({comparison}, {}, {});
  EXPECT_NE(report.find("skipped"), std::string::npos) << report;
  EXPECT_NE(report.find("flash-warm skipped: a slow disk needs root\n"), std::string::npos)
      << report;
  EXPECT_EQ(report.find("FAILED"), std::string::npos) << report;
}

TEST(ReportTest, AFailureAfterSomePairsIsNotHiddenByThem) {
  Comparison failed = Compare({Pair(100, 200)});
  failed.failure = Error{"plugin: the child exited with 1"};
  const std::string report = RenderReport({failed}, {}, {});
  EXPECT_EQ(report.find("floor met"), std::string::npos) << report;
  EXPECT_NE(report.find("FAILED"), std::string::npos) << report;
}

TEST(ReportTest, TheDeviceLimitIsTakenOverAllPairsButNotBesideFio) {
  Comparison idle = Compare({Pair(1, 1), Pair(1, 1)});
  idle.pairs[0].durable_overwrites = DurableOverwrites{8000, 0};
  idle.pairs[1].durable_overwrites = DurableOverwrites{9000, 0};
  Comparison loaded = Compare({Pair(1, 1)});
  loaded.workload.beside_fio = true;
  loaded.pairs[0].durable_overwrites = DurableOverwrites{2000, 0};
  const std::string report = RenderReport({idle, loaded}, {}, {});
  EXPECT_NE(report.find("8,500 ops/s (8,000–9,000)"), std::string::npos) << report;
}

TEST(ReportTest, TheWriterBesideTheReadersStandsBelowTheTable) {
  Comparison comparison = Compare({Pair(100, 90), Pair(100, 90)});
  EXPECT_EQ(RenderReport({comparison}, {}, {}).find("writes/s"), std::string::npos);
  for (PairSample& pair : comparison.pairs) {
    pair.stock.writes_per_s = 100000;
    pair.plugin.writes_per_s = 125000;
  }
  const std::string report = RenderReport({comparison}, {}, {});
  EXPECT_NE(report.find("stock 100,000, plugin 125,000 writes/s, ratio 1.25×"), std::string::npos)
      << report;
}

TEST(FormatTest, CountsAreGroupedByThousands) {
  EXPECT_EQ(FormatCount(0), "0");
  EXPECT_EQ(FormatCount(999.4), "999");
  EXPECT_EQ(FormatCount(1000), "1,000");
  EXPECT_EQ(FormatCount(1234567.8), "1,234,568");
  EXPECT_EQ(FormatCount(-123456), "-123,456");
}

TEST(FormatTest, EveryMetricHasItsUnit) {
  EXPECT_EQ(FormatMetric(Metric::kOpsPerS, 6140), "6,140 ops/s");
  EXPECT_EQ(FormatMetric(Metric::kP999Us, 1250), "1.25 ms");
  EXPECT_EQ(FormatMetric(Metric::kLongestUs, 10012345), "10,012 ms");
  EXPECT_EQ(FormatMetric(Metric::kElapsedS, 2.434), "2.43 s");
  EXPECT_EQ(FormatMetric(Metric::kMicroseconds, 1.254), "1.25 µs");
  EXPECT_EQ(FormatMetric(Metric::kBytesPerByte, 1.016), "1.02 B/B");
}

}  // namespace
}  // namespace bloom_lfs::bench
