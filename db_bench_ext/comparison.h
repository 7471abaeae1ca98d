#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "db_bench_ext/arm_command.h"
#include "db_bench_ext/arm_output.h"
#include "db_bench_ext/device_limit.h"
#include "db_bench_ext/prepared_databases.h"
#include "db_bench_ext/result.h"
#include "db_bench_ext/work_directory.h"
#include "db_bench_ext/workload.h"

namespace bloom_lfs::bench {

// One pair of runs and what was measured between them.
struct PairSample {
  ArmReading stock;
  ArmReading plugin;
  std::optional<ArmReading> stock_without_wal;
  std::optional<DurableOverwrites> durable_overwrites;
  std::optional<double> sequential_mib_per_s;
};

// All pairs of one workload, or why it was given up.
struct Comparison {
  Workload workload;
  std::vector<PairSample> pairs;
  Failure failure;
  std::optional<std::string> skipped;  // why this machine cannot measure it
};

// Called after every run with a few words about it.
using ProgressFunction = std::function<void(const std::string&)>;

// Runs single pairs: every arm once, each in a fresh directory or on its prepared database, on a
// settled file system, with the same seed, in an order that rotates from round to round; the device
// is measured between the first arm and the second, next to both.
class PairRunner {
 public:
  // All three must outlive the runner.
  PairRunner(const Setup* setup, const WorkDirectory* directory, const DeviceLimit* device);

  Result<PairSample> Run(const Workload& workload, int round, const ProgressFunction& progress);

 private:
  Result<ArmReading> RunArm(const Workload& workload, Arm arm, int round);
  // Where the run finds its database, in the state it is to be measured in.
  Result<std::string> MakeReady(const Workload& workload, Arm arm);
  Failure MeasureBound(const Workload& workload, PairSample* sample,
                       const ProgressFunction& progress) const;

  const Setup& setup_;
  const WorkDirectory& directory_;
  const DeviceLimit& device_;
  PreparedDatabases prepared_;
};

}  // namespace bloom_lfs::bench
