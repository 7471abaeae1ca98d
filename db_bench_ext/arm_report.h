// Arms beyond stock and plugin: what their pairs say, and how it is shown.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "db_bench_ext/comparison.h"
#include "db_bench_ext/difference.h"
#include "db_bench_ext/statistics.h"
#include "db_bench_ext/text_table.h"

namespace bloom_lfs::bench {

// A further arm beside stock, over the pairs that have it.
struct ArmSummary : PairSummary {
  std::string arm;
  size_t pairs = 0;
  double stock_median = 0;
  double median = 0;
  Difference difference = Difference::kUnknown;
};

// In the order of the pairs' readings.
std::vector<ArmSummary> SummarizeFurtherArms(const std::vector<PairSample>& pairs, Metric metric);

// "better", "worse", "no difference", "too few pairs".
std::string DescribeDifference(Difference difference);

// A table of all further arms of all rows, and which rows have one not, and why. Empty where there
// are none.
std::string RenderFurtherArms(const std::vector<Comparison>& comparisons, TableStyle style);

}  // namespace bloom_lfs::bench
