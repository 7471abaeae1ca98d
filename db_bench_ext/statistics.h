#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace bloom_lfs::bench {

// The smallest and the largest of some samples.
struct Spread {
  double min = 0;
  double max = 0;
};

// The middle sample, or the mean of the two middle ones.
// REQUIRES: !samples.empty()
double Median(std::vector<double> samples);

// REQUIRES: !samples.empty()
Spread SpreadOf(const std::vector<double>& samples);

// numerators[i] / denominators[i]: what each pair of runs says on its own.
// REQUIRES: equal sizes, no denominator is zero.
std::vector<double> PairwiseRatios(const std::vector<double>& numerators,
                                   const std::vector<double>& denominators);

// The smallest sample that at least `percent` per cent of the samples do not exceed.
// REQUIRES: !samples.empty() and 0 < percent <= 100
double Percentile(std::vector<double> samples, double percent);

// Where the truth probably lies.
struct Interval {
  double low = 0;
  double high = 0;

  bool Covers(double value) const { return low <= value && value <= high; }
};

// Fewer samples than this say nothing about their spread.
constexpr size_t kFewestForInterval = 5;

// A 95 % confidence interval of the median, by the percentile bootstrap. The same samples and seed
// give the same interval. Nothing below kFewestForInterval samples. Of five samples no method
// can give 95 %: the interval then reaches from the smallest to the largest, and is 94 % sure.
std::optional<Interval> MedianInterval(const std::vector<double>& samples, uint64_t seed = 1);

// What pairs of runs say of an arm beside stock.
struct PairSummary {
  double ratio = 0;    // of the medians, arm / stock
  Spread pair_ratios;  // each pair on its own
  double median_pair_ratio = 0;
  std::optional<Interval> interval;  // of the median of the pair ratios, 95 %
};

// Each pair is an element of both. REQUIRES: as PairwiseRatios, and !stock.empty().
PairSummary SummarizePairs(const std::vector<double>& arm, const std::vector<double>& stock);

}  // namespace bloom_lfs::bench
