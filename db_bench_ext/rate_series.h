// Operations over the time of a run, and where they stood still.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "db_bench_ext/workload.h"

namespace bloom_lfs::bench {

// In intervals of the same length, the first of which begins with the benchmark. The last one may
// be cut short by its end; its figure is still a rate.
struct RateSeries {
  double interval_s = 0;
  std::vector<double> ops_per_s;

  double LengthS() const { return interval_s * static_cast<double>(ops_per_s.size()); }
};

// A stretch of intervals that are slower than a fifth of the run's mean.
struct Stall {
  double begin_s = 0;
  double end_s = 0;
};

constexpr double kStallShareOfMean = 0.2;

std::vector<Stall> FindStalls(const RateSeries& series);

// After how many operations a thread of db_bench is to report its progress (--stats_interval), so
// that a series can be made of it; 0: no series of this workload. db_bench's reports by time know
// whole seconds only.
int64_t OperationsPerReport(const Workload& workload, double scale);

// Made of the progress that db_bench reported on its standard error. `elapsed_s` and `operations`
// are its result: what is between a thread's last report and the end. Operations between two
// reports of a thread are taken to be spread evenly. No interval is shorter than 20 ms, or than the
// mean time between two reports, and there are at most 200. Nothing where there are fewer than ten
// reports.
std::optional<RateSeries> ReadRateSeries(std::string_view standard_error, double elapsed_s,
                                         uint64_t operations);

}  // namespace bloom_lfs::bench
