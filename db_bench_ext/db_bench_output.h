#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "db_bench_ext/latencies.h"
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
  // Of one operation. Present only when db_bench ran with --histogram.
  std::optional<Latencies> latencies;
  std::optional<double> longest_us;  // the same of the longest one
};

// Finds the result of `benchmark` ("fillsync") in db_bench's standard output. The output of a run
// that stopped half-way has no such line and is an error. Of a benchmark that ran several times:
// the one of that number, from 1 on.
Result<DbBenchResult> ParseDbBenchOutput(std::string_view output, std::string_view benchmark,
                                         int run = 1);

// How long `benchmark` took. Unlike the above also for a step that is one operation and takes
// seconds
// ("compact"), of which db_bench says 0 operations per second.
Result<double> ParseDbBenchSeconds(std::string_view output, std::string_view benchmark,
                                   int run = 1);

// The writes since the database was opened, from db_bench's `stats`; three digits are exact.
Result<double> ParseCumulativeWrites(std::string_view output);

// A line of the file that db_bench writes with --report_interval_seconds.
struct ReportedInterval {
  int64_t end_s = 0;  // since the benchmark began
  int64_t operations = 0;
};

std::vector<ReportedInterval> ParseIntervalReport(std::string_view csv);

// Operations per second in the intervals from `first` on and before `end`.
Result<double> RateOf(const std::vector<ReportedInterval>& intervals, size_t first, size_t end);

// The seconds open_put_close reports for all of its rounds.
Result<double> ParseOpenPutCloseOutput(std::string_view output);

// What page_store_benchmark reports of a row: its yardstick, then what was measured.
Result<std::pair<double, double>> ParsePageStoreOutput(std::string_view output,
                                                       std::string_view row);

// The seconds open_replay reports.
Result<double> ParseOpenReplayOutput(std::string_view output);

}  // namespace bloom_lfs::bench
