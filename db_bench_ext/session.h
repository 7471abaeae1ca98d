#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "db_bench_ext/comparison.h"
#include "db_bench_ext/device_limit.h"
#include "db_bench_ext/flash_runner.h"
#include "db_bench_ext/progress.h"
#include "db_bench_ext/second_runner.h"
#include "db_bench_ext/work_directory.h"
#include "db_bench_ext/workload.h"

namespace bloom_lfs::bench {

// How much to measure.
struct Effort {
  int pairs = 5;
  // No further pair is started that would probably end later than this. Zero: no limit. The first
  // pair of every workload always runs.
  std::chrono::seconds budget{0};
  // How often as much again is to be measured elsewhere, afterwards.
  int sessions_to_come = 0;
};

// Runs all pairs of all workloads, in rounds: one pair of every workload, then the next round. A
// disturbance of the machine thus touches one pair of several workloads instead of all pairs of
// one.
//
// A workload whose child fails, or that this machine cannot measure, is given up, with the reason
// in its Comparison; the others go on. A signal ends the session; what was measured until then is
// returned.
class Session {
 public:
  // All three must outlive the session.
  Session(const Setup* setup, const WorkDirectory* directory, const DeviceLimit* device);

  std::vector<Comparison> Run(const std::vector<Workload>& workloads, const Effort& effort);

  // Pairs left out to keep within the budget.
  int skipped_pairs() const { return skipped_pairs_; }

 private:
  // Why this machine cannot measure the workload, if so.
  std::optional<std::string> ReasonToSkip(const Workload& workload);
  void RunPair(int round, const Effort& effort, Comparison* comparison);
  // One line, on a terminal with the time that is left.
  void PrintProgress(const std::string& workload, int round, const Effort& effort,
                     const std::string& what) const;
  std::chrono::duration<double> Elapsed() const;
  // What all pairs of this session take, as far as it is known.
  double WholeSeconds(const Effort& effort) const;
  // " (2:10 left)"; empty where nobody looks, or nothing is known yet.
  std::string TimeLeft(const Effort& effort) const;

  Result<PairSample> Measure(const Workload& workload, int round, const ProgressFunction& progress);

  const Setup& setup_;
  PairRunner runner_;
  FlashRunner flash_runner_;
  SecondRunner second_runner_;
  std::chrono::steady_clock::time_point start_;
  int skipped_pairs_ = 0;
  Progress progress_;
};

}  // namespace bloom_lfs::bench
