#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "db_bench_ext/comparison.h"
#include "db_bench_ext/difference.h"
#include "db_bench_ext/statistics.h"
#include "db_bench_ext/text_table.h"
#include "db_bench_ext/workload.h"

namespace bloom_lfs::bench {

enum class Verdict { kNoGoal, kBelowFloor, kFloorMet, kAimMet };

// What all pairs of one workload say together.
struct Summary : PairSummary {
  double stock_median = 0;
  double plugin_median = 0;
  // Median over the pairs of: how much of its bound the plugin reaches, 1 being all of it.
  std::optional<double> share_of_bound;
};

// REQUIRES: !comparison.pairs.empty()
Summary Summarize(const Comparison& comparison);

// An aim counts only when the floor is met too; a workload without an aim can at best meet its
// floor. A goal about a share that was not measured is not met.
Verdict Judge(const Workload& workload, const Summary& summary);

// "floor met", "no difference", "no difference, below floor"; "–" if there is neither a goal nor
// anything that speaks against a difference.
std::string DescribeVerdict(Verdict verdict, Difference difference);

// What stands in the last column. `summary` is that of the comparison, null if it has no pairs;
// `self_check`: both arms were stock.
std::string VerdictOf(const Comparison& comparison, const Summary* summary, bool self_check);

struct ReportOptions {
  TableStyle style = TableStyle::kText;
  // Both arms were stock: the table shows the noise of the method and judges nothing.
  bool self_check = false;
};

// The facts, the device's own limits, the table, and what failed.
std::string RenderReport(const std::vector<Comparison>& comparisons,
                         const std::vector<std::pair<std::string, std::string>>& facts,
                         const ReportOptions& options);

}  // namespace bloom_lfs::bench
