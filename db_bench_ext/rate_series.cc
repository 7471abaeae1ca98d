#include "db_bench_ext/rate_series.h"

#include <algorithm>
#include <cinttypes>
#include <cmath>
#include <cstdio>
#include <map>

#include "db_bench_ext/text_lines.h"

namespace bloom_lfs::bench {
namespace {

constexpr double kShortestS = 0.02;
constexpr double kMostIntervals = 200;
constexpr size_t kFewestReports = 10;
constexpr double kLongestRunS = 1e6;

// What one thread had done at a time, both since the benchmark began.
struct ProgressPoint {
  double at_s = 0;
  uint64_t operations = 0;
};

// Operations that ended in a stretch of time.
struct Stretch {
  double begin_s = 0;
  double end_s = 0;
  double operations = 0;
};

// Example: "2026/11/27-23:17:15  ... thread 0: (50,900) ops and (292.0,568.3) ops/second in
// (0.171252,1.583576) seconds"
bool ParseProgress(std::string_view line, int* thread, ProgressPoint* point) {
  const size_t at = line.find("... thread ");
  if (at == std::string_view::npos) return false;
  return std::sscanf(std::string(line.substr(at)).c_str(),
                     "... thread %d: (%*[0-9],%" SCNu64
                     ") ops and (%*[^)]) ops/second in "
                     "(%*[^,],%lf) seconds",
                     thread, &point->operations, &point->at_s) == 3 &&
         point->at_s >= 0 && point->at_s < kLongestRunS;
}

// The stretches between the reports of each thread. `last` gets the latest report of each.
std::vector<Stretch> ParseStretches(std::string_view standard_error,
                                    std::map<int, ProgressPoint>* last) {
  std::vector<Stretch> stretches;
  for (const std::string_view line : SplitLines(standard_error)) {
    int thread = 0;
    ProgressPoint point;
    if (!ParseProgress(line, &thread, &point)) continue;
    ProgressPoint& before = (*last)[thread];
    // The next benchmark of the same process begins anew.
    if (point.operations < before.operations || point.at_s < before.at_s) break;
    stretches.push_back(
        {before.at_s, point.at_s, static_cast<double>(point.operations - before.operations)});
    before = point;
  }
  return stretches;
}

// Of the operations that no report was about.
std::optional<Stretch> Rest(const std::map<int, ProgressPoint>& last, double elapsed_s,
                            uint64_t operations) {
  uint64_t reported = 0;
  double begin_s = elapsed_s;
  for (const auto& [thread, point] : last) {
    reported += point.operations;
    begin_s = std::min(begin_s, point.at_s);
  }
  if (reported >= operations) return std::nullopt;
  return Stretch{begin_s, elapsed_s, static_cast<double>(operations - reported)};
}

// 1, 2 or 5 times a power of ten, at least `least`.
double RoundUp(double least) {
  const double power = std::pow(10, std::floor(std::log10(least)));
  for (const double step : {1.0, 2.0, 5.0}) {
    if (step * power >= least * (1 - 1e-9)) return step * power;
  }
  return 10 * power;
}

void Add(const Stretch& stretch, double interval_s, std::vector<double>* operations) {
  const auto index_of = [&](double at_s) {
    return std::min(static_cast<size_t>(at_s / interval_s), operations->size() - 1);
  };
  const double length_s = stretch.end_s - stretch.begin_s;
  const size_t end = index_of(stretch.end_s);
  if (length_s <= 0) {
    (*operations)[end] += stretch.operations;
    return;
  }
  for (size_t i = index_of(stretch.begin_s); i <= end; ++i) {
    const double from_s = std::max(stretch.begin_s, interval_s * static_cast<double>(i));
    const double to_s =
        i == end ? stretch.end_s : std::min(stretch.end_s, interval_s * static_cast<double>(i + 1));
    (*operations)[i] += stretch.operations * std::max(0.0, to_s - from_s) / length_s;
  }
}

}  // namespace

int64_t OperationsPerReport(const Workload& workload, double scale) {
  // A sync takes 100 µs or more, and a report about 4.
  constexpr int64_t kSyncedOperations = 10;
  constexpr double kReportsPerRun = 200;
  if (workload.program != Program::kDbBench) return 0;
  // Its reports mix the readers with the writer, who is not in the row's figure.
  if (workload.benchmark.find("whilewriting") != std::string::npos) return 0;
  if (workload.duration_s == 0) {
    const double operations = static_cast<double>(workload.operations) * scale;
    return operations < 1 ? 0 : std::max(1LL, std::llround(operations / kReportsPerRun));
  }
  int64_t per_report = kSyncedOperations;
  for (const std::string& argument : workload.arguments) {
    int64_t count = 0;
    // Many threads report often enough together, and a batch is counted by its entries.
    if (std::sscanf(argument.c_str(), "--batch_size=%" SCNd64, &count) == 1) per_report *= count;
    if (std::sscanf(argument.c_str(), "--threads=%" SCNd64, &count) == 1 && count >= 8) {
      per_report *= 2;
    }
  }
  return per_report;
}

std::optional<RateSeries> ReadRateSeries(std::string_view standard_error, double elapsed_s,
                                         uint64_t operations) {
  std::map<int, ProgressPoint> last;
  std::vector<Stretch> stretches = ParseStretches(standard_error, &last);
  if (stretches.size() < kFewestReports) return std::nullopt;
  if (const std::optional<Stretch> rest = Rest(last, elapsed_s, operations)) {
    stretches.push_back(*rest);
  }
  double end_s = 0;
  for (const Stretch& stretch : stretches) end_s = std::max(end_s, stretch.end_s);
  if (!(end_s > 0) || end_s > kLongestRunS) return std::nullopt;

  RateSeries series;
  series.interval_s = RoundUp(std::max(
      {kShortestS, end_s / kMostIntervals, end_s / static_cast<double>(stretches.size())}));
  std::vector<double> counts(static_cast<size_t>(std::ceil(end_s / series.interval_s * (1 - 1e-9))),
                             0);
  for (const Stretch& stretch : stretches) Add(stretch, series.interval_s, &counts);
  for (size_t i = 0; i < counts.size(); ++i) {
    const double begin_s = series.interval_s * static_cast<double>(i);
    const double rate = counts[i] / (std::min(begin_s + series.interval_s, end_s) - begin_s);
    series.ops_per_s.push_back(std::round(rate * 10) / 10);
  }
  return series;
}

std::vector<Stall> FindStalls(const RateSeries& series) {
  double mean = 0;
  for (const double rate : series.ops_per_s) {
    mean += rate / static_cast<double>(series.ops_per_s.size());
  }
  std::vector<Stall> stalls;
  for (size_t i = 0; i < series.ops_per_s.size(); ++i) {
    if (series.ops_per_s[i] >= kStallShareOfMean * mean) continue;
    const double begin_s = series.interval_s * static_cast<double>(i);
    const double end_s = begin_s + series.interval_s;
    const bool goes_on =
        i > 0 && !stalls.empty() && series.ops_per_s[i - 1] < kStallShareOfMean * mean;
    if (goes_on) {
      stalls.back().end_s = end_s;
    } else {
      stalls.push_back({begin_s, end_s});
    }
  }
  return stalls;
}

}  // namespace bloom_lfs::bench
