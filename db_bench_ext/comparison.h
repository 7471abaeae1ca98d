#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "db_bench_ext/child_process.h"
#include "db_bench_ext/device_limit.h"
#include "db_bench_ext/result.h"
#include "db_bench_ext/work_directory.h"
#include "db_bench_ext/workload.h"

namespace bloom_lfs::bench {

// How to run the two arms.
struct Setup {
  std::string db_bench;
  std::string open_put_close;
  std::string fio;
  std::string plugin;      // path of libbloom_lfs.so
  std::string plugin_uri;  // --fs_uri of the plugin arm; empty makes both arms stock (self-check)
  std::vector<std::string> extra_arguments;  // for db_bench in every arm
  std::vector<std::string> stock_arguments;
  std::vector<std::string> plugin_arguments;
  std::vector<std::string> fio_arguments;
  double scale = 1;
  int64_t seed = 1;
  std::chrono::seconds timeout{120};
};

enum class Arm { kStock, kPlugin, kStockWithoutWal };

// What one child said.
struct ArmReading {
  double metric = 0;
  std::optional<double> mib_per_s;
};

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
};

// Called after every run with a few words about it.
using ProgressFunction = std::function<void(const std::string&)>;

// Runs single pairs: every arm once, each in a fresh directory on a settled file system, with the
// same seed, in an order that rotates from round to round; the device is measured between the first
// arm and the second, next to both.
class PairRunner {
 public:
  // All three must outlive the runner.
  PairRunner(const Setup* setup, const WorkDirectory* directory, const DeviceLimit* device);

  Result<PairSample> Run(const Workload& workload, int round, const ProgressFunction& progress);

 private:
  Result<ArmReading> RunArm(const Workload& workload, Arm arm, int round);
  Command CommandFor(const Workload& workload, Arm arm, int round, const std::string& db) const;
  Failure MeasureBound(const Workload& workload, PairSample* sample,
                       const ProgressFunction& progress) const;

  const Setup& setup_;
  const WorkDirectory& directory_;
  const DeviceLimit& device_;
};

const char* NameOf(Arm arm);

}  // namespace bloom_lfs::bench
