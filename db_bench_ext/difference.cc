#include "db_bench_ext/difference.h"

#include "db_bench_ext/format.h"

namespace bloom_lfs::bench {

Difference FindDifference(Metric metric, const std::optional<Interval>& interval) {
  if (!interval.has_value()) return Difference::kUnknown;
  if (interval->Covers(1)) return Difference::kNone;
  return (interval->low > 1) == LowerIsBetter(metric) ? Difference::kWorse : Difference::kBetter;
}

std::string FormatInterval(const std::optional<Interval>& interval) {
  if (!interval.has_value()) return "–";
  return FormatDecimal(interval->low, 2) + "–" + FormatDecimal(interval->high, 2);
}

}  // namespace bloom_lfs::bench
