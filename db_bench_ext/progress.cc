#include "db_bench_ext/progress.h"

namespace bloom_lfs::bench {

std::optional<double> EstimateSecondsLeft(const Progress& progress) {
  double known_s = 0;
  int known = 0;
  for (const double pair_s : progress.pair_s) {
    if (pair_s <= 0) continue;
    known_s += pair_s;
    ++known;
  }
  if (known == 0) return std::nullopt;
  double left_s = 0;
  for (size_t i = 0; i < progress.pair_s.size(); ++i) {
    if (progress.pair_s[i] < 0) continue;
    const int pairs = progress.rounds - progress.round - (i < progress.row ? 1 : 0);
    left_s += pairs * (progress.pair_s[i] > 0 ? progress.pair_s[i] : known_s / known);
  }
  return left_s;
}

}  // namespace bloom_lfs::bench
