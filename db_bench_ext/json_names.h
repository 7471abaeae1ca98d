// The names in the JSON document that stand for values of enumerations.
#pragma once

#include <array>
#include <string_view>
#include <utility>

#include "db_bench_ext/report.h"
#include "db_bench_ext/workload.h"

namespace bloom_lfs::bench {

inline constexpr std::string_view kJsonFormat = "db_bench_ext results";
inline constexpr int kJsonVersion = 2;

inline constexpr std::array<std::pair<Metric, std::string_view>, 6> kJsonMetrics = {{
    {Metric::kOpsPerS, "ops_per_s"},
    {Metric::kP999Us, "p999_us"},
    {Metric::kLongestUs, "longest_us"},
    {Metric::kElapsedS, "elapsed_s"},
    {Metric::kMicroseconds, "microseconds"},
    {Metric::kBytesPerByte, "bytes_per_byte"},
}};

inline constexpr std::array<std::pair<Difference, std::string_view>, 4> kJsonDifferences = {{
    {Difference::kUnknown, "unknown"},
    {Difference::kNone, "none"},
    {Difference::kBetter, "better"},
    {Difference::kWorse, "worse"},
}};

}  // namespace bloom_lfs::bench
