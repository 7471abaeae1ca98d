#pragma once

#include <optional>
#include <string>

#include "db_bench_ext/result.h"
#include "db_bench_ext/workload.h"

namespace bloom_lfs::bench {

// What one child said.
struct ArmReading {
  double metric = 0;
  std::optional<double> mib_per_s;
  // The writer beside the measured readers. Only with Afterwards::kWriteCount.
  std::optional<double> writes_per_s;
};

// Takes the workload's figures from the standard output of its program.
Result<ArmReading> ReadArmOutput(const Workload& workload, const std::string& output);

}  // namespace bloom_lfs::bench
