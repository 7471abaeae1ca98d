#pragma once

#include <optional>
#include <string>

#include "db_bench_ext/statistics.h"
#include "db_bench_ext/workload.h"

namespace bloom_lfs::bench {

// What the pairs show of an arm beside stock, whatever was wanted of the row.
enum class Difference {
  kUnknown,  // too few pairs for an interval
  kNone,     // the interval covers 1
  kBetter,   // the arm is
  kWorse,
};

// `interval` is that of the ratios arm / stock.
Difference FindDifference(Metric metric, const std::optional<Interval>& interval);

// "1.10–1.35"; "–" without one.
std::string FormatInterval(const std::optional<Interval>& interval);

}  // namespace bloom_lfs::bench
