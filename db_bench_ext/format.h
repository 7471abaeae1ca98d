#pragma once

#include <string>

#include "db_bench_ext/workload.h"

namespace bloom_lfs::bench {

// 1234567.8 as "1,234,568".
std::string FormatCount(double value);

// With as many decimals as asked for.
std::string FormatDecimal(double value, int decimals);

// A metric with its unit: "6,140 ops/s", "1.25 ms", "0.85 s".
std::string FormatMetric(Metric metric, double value);

}  // namespace bloom_lfs::bench
