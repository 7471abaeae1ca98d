#include "db_bench_ext/arm_report.h"

#include <algorithm>
#include <map>
#include <utility>

#include "db_bench_ext/format.h"

namespace bloom_lfs::bench {
namespace {

const ArmReading* FindReading(const PairSample& pair, const std::string& arm) {
  for (const FurtherReading& further : pair.further) {
    if (further.arm == arm) return &further.reading;
  }
  return nullptr;
}

ArmSummary SummarizeArm(const std::string& arm, const std::vector<PairSample>& pairs,
                        Metric metric) {
  std::vector<double> stock;
  std::vector<double> mine;
  for (const PairSample& pair : pairs) {
    const ArmReading* reading = FindReading(pair, arm);
    if (reading == nullptr) continue;
    stock.push_back(pair.stock.metric);
    mine.push_back(reading->metric);
  }
  ArmSummary summary;
  static_cast<PairSummary&>(summary) = SummarizePairs(mine, stock);
  summary.arm = arm;
  summary.pairs = mine.size();
  summary.stock_median = Median(stock);
  summary.median = Median(mine);
  summary.difference = FindDifference(metric, summary.interval);
  return summary;
}

TextRow RowOf(const std::string& title, Metric metric, const ArmSummary& summary) {
  return {
      title,
      summary.arm,
      FormatMetric(metric, summary.stock_median),
      FormatMetric(metric, summary.median),
      FormatDecimal(summary.ratio, 2) + "×",
      FormatInterval(summary.interval),
      std::to_string(summary.pairs),
      FormatDecimal(summary.pair_ratios.min, 2) + "–" + FormatDecimal(summary.pair_ratios.max, 2),
      DescribeDifference(summary.difference)};
}

// "- no-wal is not in fillsync, sync-4k: without a log there is nothing to sync"
std::string RenderAbsent(const std::vector<Comparison>& comparisons) {
  std::map<std::pair<std::string, std::string>, std::string> rows_by_reason;
  for (const Comparison& comparison : comparisons) {
    for (const AbsentArm& absent : comparison.absent) {
      std::string& rows = rows_by_reason[{absent.arm, absent.reason}];
      rows += (rows.empty() ? "" : ", ") + comparison.workload.name;
    }
  }
  std::string text;
  for (const auto& [arm_and_reason, rows] : rows_by_reason) {
    text +=
        "- " + arm_and_reason.first + " is not in " + rows + ": " + arm_and_reason.second + "\n";
  }
  return text;
}

}  // namespace

std::vector<ArmSummary> SummarizeFurtherArms(const std::vector<PairSample>& pairs, Metric metric) {
  std::vector<ArmSummary> summaries;
  for (const PairSample& pair : pairs) {
    for (const FurtherReading& further : pair.further) {
      const bool known =
          std::any_of(summaries.begin(), summaries.end(),
                      [&](const ArmSummary& summary) { return summary.arm == further.arm; });
      if (!known) summaries.push_back(SummarizeArm(further.arm, pairs, metric));
    }
  }
  return summaries;
}

std::string DescribeDifference(Difference difference) {
  switch (difference) {
    case Difference::kUnknown:
      return "too few pairs";
    case Difference::kNone:
      return "no difference";
    case Difference::kBetter:
      return "better";
    case Difference::kWorse:
      return "worse";
  }
  return "";
}

std::string RenderFurtherArms(const std::vector<Comparison>& comparisons, TableStyle style) {
  std::vector<TextRow> rows = {{"workload", "arm", "stock", "the arm", "ratio", "95 % interval",
                                "pairs", "pair ratios", "beside stock"}};
  for (const Comparison& comparison : comparisons) {
    const Workload& workload = comparison.workload;
    for (const ArmSummary& summary : SummarizeFurtherArms(comparison.pairs, workload.metric)) {
      rows.push_back(RowOf(workload.title, workload.metric, summary));
    }
  }
  std::string text;
  if (rows.size() > 1) text = "\nfurther arms, each beside stock:\n\n" + RenderTable(rows, style);
  const std::string absent = RenderAbsent(comparisons);
  return absent.empty() ? text : text + "\n" + absent;
}

}  // namespace bloom_lfs::bench
