#pragma once

#include <cstddef>
#include <optional>
#include <vector>

namespace bloom_lfs::bench {

// How far a session is.
struct Progress {
  // What a pair of each row takes: 0 is not known yet, below 0: no further pair of it is made.
  std::vector<double> pair_s;
  int round = 0;
  size_t row = 0;  // whose pair is under way, or the next
  int rounds = 0;
};

// The pairs that are left, that of `row` included. Rows of which nothing is known take the mean of
// the others; nothing when none is known.
std::optional<double> EstimateSecondsLeft(const Progress& progress);

}  // namespace bloom_lfs::bench
