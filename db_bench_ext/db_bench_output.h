#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "db_bench_ext/result.h"

namespace bloom_lfs::bench {

// What one benchmark line of db_bench, and the histogram below it, says.
struct DbBenchResult {
  double micros_per_op = 0;
  double ops_per_s = 0;
  double elapsed_s = 0;
  uint64_t operations = 0;
  // 2^20 bytes of keys and values per second, db_bench's own unit. Absent where it prints none.
  std::optional<double> mib_per_s;
  // 99.9th percentile of one operation. Present only when db_bench ran with --histogram.
  std::optional<double> p999_us;
};

// Finds the result of `benchmark` ("fillsync") in db_bench's standard output. The output of a run
// that stopped half-way has no such line and is an error.
Result<DbBenchResult> ParseDbBenchOutput(std::string_view output, std::string_view benchmark);

// The seconds open_put_close reports for all of its rounds.
Result<double> ParseOpenPutCloseOutput(std::string_view output);

}  // namespace bloom_lfs::bench
