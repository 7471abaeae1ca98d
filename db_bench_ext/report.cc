#include "db_bench_ext/report.h"

#include <algorithm>
#include <cstddef>
#include <functional>

#include "db_bench_ext/arm_report.h"
#include "db_bench_ext/format.h"

namespace bloom_lfs::bench {
namespace {

std::optional<double> ShareOfBound(const Workload& workload, const PairSample& pair) {
  switch (workload.bound) {
    case Bound::kNone:
      return std::nullopt;
    case Bound::kDurableOverwrites:
      if (!pair.durable_overwrites.has_value()) return std::nullopt;
      return pair.plugin.metric / pair.durable_overwrites->ops_per_s;
    case Bound::kDurableOverwriteP999:
      if (!pair.durable_overwrites.has_value()) return std::nullopt;
      return pair.durable_overwrites->p999_us / pair.plugin.metric;
    case Bound::kSequentialWrite:
      if (!pair.sequential_mib_per_s.has_value() || !pair.plugin.mib_per_s.has_value()) {
        return std::nullopt;
      }
      return *pair.plugin.mib_per_s / *pair.sequential_mib_per_s;
    case Bound::kStockWithoutWal:
      if (!pair.stock_without_wal.has_value()) return std::nullopt;
      return pair.plugin.metric / pair.stock_without_wal->metric;
  }
  return std::nullopt;
}

// What a share is a share of. The README says which figure of the device a workload is held
// against.
const char* NameOf(Bound bound) {
  switch (bound) {
    case Bound::kNone:
      return "";
    case Bound::kStockWithoutWal:
      return "no WAL";
    case Bound::kDurableOverwrites:
    case Bound::kDurableOverwriteP999:
    case Bound::kSequentialWrite:
      return "device";
  }
  return "";
}

const char* NameOf(Verdict verdict) {
  switch (verdict) {
    case Verdict::kNoGoal:
      return "–";
    case Verdict::kBelowFloor:
      return "below floor";
    case Verdict::kFloorMet:
      return "floor met";
    case Verdict::kAimMet:
      return "aim met";
  }
  return "";
}

// "≥ 1.40×, ≥ 0.85 of device", "≤ 200 ms"; "–" without any goal.
std::string FormatGoal(const Workload& workload, std::optional<double> ratio,
                       std::optional<double> share, std::optional<double> value) {
  const std::string at = LowerIsBetter(workload.metric) ? "≤ " : "≥ ";
  std::string text;
  if (ratio.has_value()) text = at + FormatDecimal(*ratio, 2) + "×";
  if (share.has_value()) {
    text += std::string(text.empty() ? "" : ", ") + "≥ " + FormatDecimal(*share, 2) + " of " +
            NameOf(workload.bound);
  }
  if (value.has_value()) {
    text += (text.empty() ? "" : ", ") + at + FormatMetric(workload.metric, *value);
  }
  return text.empty() ? "–" : text;
}

TextRow RowOf(const Comparison& comparison, const ReportOptions& options) {
  const Workload& workload = comparison.workload;
  if (comparison.pairs.empty()) {
    return {workload.title,
            "–",
            "–",
            "–",
            "–",
            "0",
            "–",
            "–",
            "–",
            "–",
            VerdictOf(comparison, nullptr, options.self_check)};
  }
  const Summary summary = Summarize(comparison);
  std::string share = "–";
  if (summary.share_of_bound.has_value()) {
    share = FormatDecimal(*summary.share_of_bound, 2) + " of " + NameOf(workload.bound);
  }
  const Goals& goals = workload.goals;
  return {
      workload.title,
      FormatMetric(workload.metric, summary.stock_median),
      FormatMetric(workload.metric, summary.plugin_median),
      FormatDecimal(summary.ratio, 2) + "×",
      FormatInterval(summary.interval),
      std::to_string(comparison.pairs.size()),
      FormatDecimal(summary.pair_ratios.min, 2) + "–" + FormatDecimal(summary.pair_ratios.max, 2),
      share,
      FormatGoal(workload, goals.floor_ratio, goals.floor_share, goals.floor_value),
      FormatGoal(workload, goals.aim_ratio, goals.aim_share, goals.aim_value),
      VerdictOf(comparison, &summary, options.self_check)};
}

// One line about a device measurement over all pairs of all workloads that made it.
std::string DeviceLine(const std::vector<Comparison>& comparisons, const std::string& what,
                       const std::string& unit,
                       const std::function<std::optional<double>(const PairSample&)>& reading) {
  std::vector<double> samples;
  for (const Comparison& comparison : comparisons) {
    if (comparison.workload.beside_fio) continue;  // not the device alone
    for (const PairSample& pair : comparison.pairs) {
      if (const std::optional<double> sample = reading(pair)) samples.push_back(*sample);
    }
  }
  if (samples.empty()) return "";
  const Spread spread = SpreadOf(samples);
  return "- " + what + ": " + FormatCount(Median(samples)) + " " + unit + " (" +
         FormatCount(spread.min) + "–" + FormatCount(spread.max) + ")\n";
}

std::string RenderDevice(const std::vector<Comparison>& comparisons) {
  return DeviceLine(comparisons, "device limit, 4 KiB O_DIRECT overwrites, durable, queue depth 1",
                    "ops/s",
                    [](const PairSample& pair) -> std::optional<double> {
                      if (!pair.durable_overwrites.has_value()) return std::nullopt;
                      return pair.durable_overwrites->ops_per_s;
                    }) +
         DeviceLine(comparisons, "device limit, sequential O_DIRECT writes of 1 MiB", "MiB/s",
                    [](const PairSample& pair) { return pair.sequential_mib_per_s; });
}

// A while-writing benchmark reports its readers alone, and a faster writer is more work for them.
std::string RenderWriters(const Comparison& comparison) {
  std::vector<double> stock;
  std::vector<double> plugin;
  for (const PairSample& pair : comparison.pairs) {
    if (!pair.stock.writes_per_s.has_value() || !pair.plugin.writes_per_s.has_value()) continue;
    stock.push_back(*pair.stock.writes_per_s);
    plugin.push_back(*pair.plugin.writes_per_s);
  }
  if (stock.empty() || Median(stock) <= 0) return "";
  return "\n" + comparison.workload.name + ", the writer beside the readers: stock " +
         FormatCount(Median(stock)) + ", plugin " + FormatCount(Median(plugin)) +
         " writes/s, ratio " + FormatDecimal(Median(plugin) / Median(stock), 2) + "×\n";
}

}  // namespace

Summary Summarize(const Comparison& comparison) {
  std::vector<double> stock;
  std::vector<double> plugin;
  std::vector<double> shares;
  for (const PairSample& pair : comparison.pairs) {
    stock.push_back(pair.stock.metric);
    plugin.push_back(pair.plugin.metric);
    if (const std::optional<double> share = ShareOfBound(comparison.workload, pair)) {
      shares.push_back(*share);
    }
  }
  Summary summary;
  static_cast<PairSummary&>(summary) = SummarizePairs(plugin, stock);
  summary.stock_median = Median(stock);
  summary.plugin_median = Median(plugin);
  if (!shares.empty()) summary.share_of_bound = Median(shares);
  return summary;
}

Verdict Judge(const Workload& workload, const Summary& summary) {
  const Goals& goals = workload.goals;
  const auto reached = [&](std::optional<double> goal, double figure) {
    return !goal.has_value() ||
           (LowerIsBetter(workload.metric) ? figure <= *goal : figure >= *goal);
  };
  const auto met = [&](std::optional<double> ratio, std::optional<double> share,
                       std::optional<double> value) {
    return reached(ratio, summary.ratio) && reached(value, summary.plugin_median) &&
           (!share.has_value() ||
            (summary.share_of_bound.has_value() && *summary.share_of_bound >= *share));
  };
  const auto any = [](std::optional<double> ratio, std::optional<double> share,
                      std::optional<double> value) {
    return ratio.has_value() || share.has_value() || value.has_value();
  };
  if (!met(goals.floor_ratio, goals.floor_share, goals.floor_value)) return Verdict::kBelowFloor;
  const bool has_aim = any(goals.aim_ratio, goals.aim_share, goals.aim_value);
  if (!has_aim && !any(goals.floor_ratio, goals.floor_share, goals.floor_value)) {
    return Verdict::kNoGoal;
  }
  return has_aim && met(goals.aim_ratio, goals.aim_share, goals.aim_value) ? Verdict::kAimMet
                                                                           : Verdict::kFloorMet;
}

std::string DescribeVerdict(Verdict verdict, Difference difference) {
  if (difference != Difference::kNone) return NameOf(verdict);
  const std::string none = "no difference";
  return verdict == Verdict::kNoGoal ? none : none + ", " + NameOf(verdict);
}

std::string VerdictOf(const Comparison& comparison, const Summary* summary, bool self_check) {
  if (comparison.failure.has_value()) return "FAILED";
  if (summary == nullptr) return comparison.skipped.has_value() ? "skipped" : "not run";
  if (self_check) return "self-check";
  const Workload& workload = comparison.workload;
  const Difference difference = FindDifference(workload.metric, summary->interval);
  return workload.own.has_value() ? DescribeDifference(difference)
                                  : DescribeVerdict(Judge(workload, *summary), difference);
}

std::string RenderReport(const std::vector<Comparison>& comparisons,
                         const std::vector<std::pair<std::string, std::string>>& facts,
                         const ReportOptions& options) {
  std::string text;
  for (const auto& [name, value] : facts) text.append("- " + name + ": " + value + "\n");
  text += RenderDevice(comparisons);
  if (options.self_check) text += "- self-check: both arms are stock, ratios should be near 1\n";
  std::vector<TextRow> rows = {{"workload", "stock", "plugin", "ratio", "95 % interval", "pairs",
                                "pair ratios", "share of bound", "floor", "aim", "verdict"}};
  for (const Comparison& comparison : comparisons) rows.push_back(RowOf(comparison, options));
  text += "\n" + RenderTable(rows, options.style);
  for (const Comparison& comparison : comparisons) text += RenderWriters(comparison);
  text += RenderFurtherArms(comparisons, options.style);
  for (const Comparison& comparison : comparisons) {
    if (comparison.skipped.has_value()) {
      text += "\n" + comparison.workload.name + " skipped: " + *comparison.skipped + "\n";
    }
    if (!comparison.failure.has_value()) continue;
    text += "\n" + comparison.workload.name + " FAILED: " + comparison.failure->message;
    if (text.back() != '\n') text += '\n';
  }
  return text;
}

}  // namespace bloom_lfs::bench
