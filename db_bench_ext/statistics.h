#pragma once

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

}  // namespace bloom_lfs::bench
