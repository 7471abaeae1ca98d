#pragma once

#include <chrono>
#include <string>

#include "db_bench_ext/child_process.h"
#include "db_bench_ext/result.h"

namespace bloom_lfs::bench {

// How long the benchmark runs before its disk stops answering, and after that.
constexpr std::chrono::seconds kBeforeFreeze{2};
constexpr std::chrono::seconds kAfterFreeze{2};

struct FrozenRun {
  Command db_bench;  // for long enough
  std::string mount_point;
  std::string report;  // a file that is not there yet, on another disk
  std::chrono::seconds frozen{0};
  std::chrono::seconds timeout{0};
};

struct FrozenOutput {
  std::string standard_output;
  std::string standard_error;
  // In the whole seconds that lie within the freeze.
  double ops_per_s = 0;
};

// Runs db_bench to its end, and freezes the file system that it writes to for a while.
Result<FrozenOutput> RunFrozen(const FrozenRun& run);

}  // namespace bloom_lfs::bench
