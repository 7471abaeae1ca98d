#include "db_bench_ext/statistics.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <random>

namespace bloom_lfs::bench {

double Median(std::vector<double> samples) {
  assert(!samples.empty());
  std::sort(samples.begin(), samples.end());
  const size_t middle = samples.size() / 2;
  if (samples.size() % 2 == 1) return samples[middle];
  return (samples[middle - 1] + samples[middle]) / 2;
}

Spread SpreadOf(const std::vector<double>& samples) {
  assert(!samples.empty());
  const auto [min, max] = std::minmax_element(samples.begin(), samples.end());
  return {*min, *max};
}

std::vector<double> PairwiseRatios(const std::vector<double>& numerators,
                                   const std::vector<double>& denominators) {
  assert(numerators.size() == denominators.size());
  std::vector<double> ratios;
  ratios.reserve(numerators.size());
  for (size_t i = 0; i < numerators.size(); ++i) {
    assert(denominators[i] != 0);
    ratios.push_back(numerators[i] / denominators[i]);
  }
  return ratios;
}

double Percentile(std::vector<double> samples, double percent) {
  assert(!samples.empty() && percent > 0 && percent <= 100);
  // 99.9% of 1000 must be 999, though 99.9 is no binary fraction.
  constexpr double kRounding = 1e-9;
  const double rank = std::ceil(percent / 100 * static_cast<double>(samples.size()) - kRounding);
  const size_t index = std::clamp<size_t>(static_cast<size_t>(rank), 1, samples.size()) - 1;
  std::nth_element(samples.begin(), samples.begin() + static_cast<ptrdiff_t>(index), samples.end());
  return samples[index];
}

std::optional<Interval> MedianInterval(const std::vector<double>& samples, uint64_t seed) {
  constexpr size_t kResamples = 4000;
  constexpr size_t kEnough = 6;
  if (samples.size() < kFewestForInterval) return std::nullopt;
  if (samples.size() < kEnough) {
    const Spread spread = SpreadOf(samples);
    return Interval{spread.min, spread.max};
  }
  // Not a distribution of the standard library: what those draw differs between libraries.
  std::mt19937_64 draw(seed);
  std::vector<double> medians;
  medians.reserve(kResamples);
  std::vector<double> resample(samples.size());
  for (size_t i = 0; i < kResamples; ++i) {
    for (double& sample : resample) sample = samples[draw() % samples.size()];
    medians.push_back(Median(resample));
  }
  return Interval{Percentile(medians, 2.5), Percentile(medians, 97.5)};
}

PairSummary SummarizePairs(const std::vector<double>& arm, const std::vector<double>& stock) {
  const std::vector<double> ratios = PairwiseRatios(arm, stock);
  return {Median(arm) / Median(stock), SpreadOf(ratios), Median(ratios), MedianInterval(ratios)};
}

}  // namespace bloom_lfs::bench
