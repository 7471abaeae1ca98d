#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "db_bench_ext/result.h"

namespace bloom_lfs::bench {

// What one run of a workload yields, and whether more of it is better.
enum class Metric { kOpsPerS, kP999Us, kElapsedS };

bool LowerIsBetter(Metric metric);

enum class Program { kDbBench, kOpenPutClose };

// The yardstick of a workload, measured within each pair of runs.
enum class Bound {
  kNone,
  kDurableOverwrites,     // the device's durable 4 KiB overwrites, compared in operations
  kDurableOverwriteP999,  // the same writes' 99.9th percentile, beside the same background load
  kSequentialWrite,       // the device's sequential direct write, compared in bytes
  kStockWithoutWal,       // a third arm: stock with --disable_wal
};

// Floors and aims. A ratio is plugin / stock; a share says how much of its bound the plugin
// reaches.
struct Goals {
  double floor_ratio = 0;
  std::optional<double> floor_share;
  std::optional<double> aim_ratio;
  std::optional<double> aim_share;
};

// One row of the table.
struct Workload {
  std::string name;   // for --workloads
  std::string title;  // for people
  Program program = Program::kDbBench;
  std::string benchmark;  // db_bench's name for it
  std::vector<std::string> arguments;
  Metric metric = Metric::kOpsPerS;
  Bound bound = Bound::kNone;
  Goals goals;
  // How much work a run does at --scale=1. Workloads bound by syncs run for a time, so that a slow
  // disk does not stretch them. The others do a fixed number of operations, so that both arms flush
  // and compact the same data. Exactly one of the two is set.
  int duration_s = 0;
  int64_t operations = 0;
  // How long the device is measured within a pair.
  double bound_s = 0;
  // Whether fio writes and syncs on the same file system during the whole pair.
  bool beside_fio = false;
};

// The default set, in the order of the table.
std::vector<Workload> AllWorkloads();

// Those of `workloads` whose name matches an item of the comma-separated list; an item is a name or
// a regular expression for a whole name. An empty list selects all.
Result<std::vector<Workload>> SelectWorkloads(const std::vector<Workload>& workloads,
                                              const std::string& list);

// What the program is told about the amount of work, scaled.
std::vector<std::string> AmountArguments(const Workload& workload, double scale);

}  // namespace bloom_lfs::bench
