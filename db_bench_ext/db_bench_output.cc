#include "db_bench_ext/db_bench_output.h"

#include <cinttypes>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <string>

#include "db_bench_ext/text_lines.h"

namespace bloom_lfs::bench {
namespace {

// True for "fillsync     : ...", false for "fillsync [AVG 2 runs] : ...".
bool IsResultLineOf(std::string_view line, std::string_view benchmark) {
  if (line.substr(0, benchmark.size()) != benchmark) return false;
  line.remove_prefix(benchmark.size());
  const size_t colon = line.find_first_not_of(' ');
  return colon != std::string_view::npos && line[colon] == ':';
}

bool ParseResultLine(const std::string& line, DbBenchResult* result) {
  const size_t colon = line.find(':');
  const char* numbers = line.c_str() + colon + 1;
  // Example: "fillsync : 162.843 micros/op 6140 ops/sec 3.257 seconds 20000 operations;    0.7
  // MB/s"
  if (std::sscanf(numbers, " %lf micros/op %lf ops/sec %lf seconds %" SCNu64 " operations;",
                  &result->micros_per_op, &result->ops_per_s, &result->elapsed_s,
                  &result->operations) != 4) {
    return false;
  }
  const size_t semicolon = line.find(';', colon);
  double mib_per_s = 0;
  if (semicolon != std::string::npos &&
      std::sscanf(line.c_str() + semicolon + 1, " %lf MB/s", &mib_per_s) == 1) {
    result->mib_per_s = mib_per_s;
  }
  return result->operations > 0;
}

// The line's seconds end three digits behind the point. One thread's operations tell it better;
// those of several threads overlap.
double SecondsOf(const DbBenchResult& result) {
  const double by_operations = result.micros_per_op * static_cast<double>(result.operations) / 1e6;
  return std::abs(by_operations - result.elapsed_s) < 0.001 ? by_operations : result.elapsed_s;
}

Error NoResultLine(std::string_view output, std::string_view benchmark) {
  return Error{"db_bench printed no result line for " + std::string(benchmark) +
               "; its last lines were:\n" + LastLines(output, 5)};
}

Error Unreadable(std::string_view line) {
  return Error{"db_bench printed a result line this program cannot read: \"" + std::string(line) +
               "\"; check that --db_bench names a RocksDB db_bench"};
}

// The seconds that one of our own programs reports, as in "open_replay: 131072 records in 1.500000
// seconds".
Result<double> ParseOwnProgram(std::string_view output, const std::string& program) {
  const std::string prefix = program + ": ";
  for (const std::string_view line : SplitLines(output)) {
    if (line.substr(0, prefix.size()) != prefix) continue;
    uint64_t count = 0;
    double seconds = 0;
    if (std::sscanf(std::string(line.substr(prefix.size())).c_str(),
                    "%" SCNu64 " %*s in %lf seconds", &count, &seconds) == 2 &&
        count > 0 && seconds > 0) {
      return seconds;
    }
  }
  return Error{program + " printed no time; its last lines were:\n" + LastLines(output, 5)};
}

// Example: "Percentiles: P50: 234.45 P75: 303.24 P99: 1072.83 P99.9: 4766.67 P99.99: 9900.00"
std::optional<Latencies> ParseLatencies(const std::string& line) {
  Latencies us;
  if (std::sscanf(line.c_str(), "Percentiles: P50: %lf P75: %*f P99: %lf P99.9: %lf P99.99: %lf",
                  &us.p50_us, &us.p99_us, &us.p999_us, &us.p9999_us) != 4) {
    return std::nullopt;
  }
  return us;
}

// Example: "Min: 114  Median: 234.4536  Max: 14219", a line above the percentiles
std::optional<double> ParseLongest(const std::string& line) {
  double longest_us = 0;
  if (std::sscanf(line.c_str(), "Min: %*f Median: %*f Max: %lf", &longest_us) != 1) {
    return std::nullopt;
  }
  return longest_us;
}

}  // namespace

Result<DbBenchResult> ParseDbBenchOutput(std::string_view output, std::string_view benchmark,
                                         int run) {
  DbBenchResult result;
  bool found = false;
  for (const std::string_view line : SplitLines(output)) {
    if (!found) {
      found = IsResultLineOf(line, benchmark) && --run == 0;
      if (found && !(ParseResultLine(std::string(line), &result) && result.ops_per_s > 0)) {
        return Unreadable(line);
      }
    } else if (const std::optional<double> longest_us = ParseLongest(std::string(line))) {
      result.longest_us = longest_us;
    } else if (const std::optional<Latencies> latencies = ParseLatencies(std::string(line))) {
      result.latencies = latencies;
      break;
    }
  }
  if (!found) return NoResultLine(output, benchmark);
  return result;
}

Result<double> ParseDbBenchSeconds(std::string_view output, std::string_view benchmark, int run) {
  for (const std::string_view line : SplitLines(output)) {
    if (!IsResultLineOf(line, benchmark) || --run != 0) continue;
    DbBenchResult result;
    if (!ParseResultLine(std::string(line), &result)) return Unreadable(line);
    const double seconds = SecondsOf(result);
    if (!(seconds > 0)) {
      return Error{std::string(benchmark) + " took no time that db_bench could measure"};
    }
    return seconds;
  }
  return NoResultLine(output, benchmark);
}

Result<double> ParseCumulativeWrites(std::string_view output) {
  for (const std::string_view line : SplitLines(output)) {
    // Example: "Cumulative writes: 190K writes, 190K keys, 190K commit groups, ..."
    double count = 0;
    char unit = 0;
    if (std::sscanf(std::string(line).c_str(), "Cumulative writes: %lf%c", &count, &unit) != 2) {
      continue;
    }
    const double factor = unit == 'K' ? 1e3 : unit == 'M' ? 1e6 : unit == 'G' ? 1e9 : 1;
    return count * factor;
  }
  return Error{
      "db_bench's stats name no \"Cumulative writes\"; this program knows the output of "
      "RocksDB 7.8; its last lines were:\n" +
      LastLines(output, 5)};
}

std::vector<ReportedInterval> ParseIntervalReport(std::string_view csv) {
  std::vector<ReportedInterval> intervals;
  for (const std::string_view line : SplitLines(csv)) {
    // Example: "3,6140"; the first line is "secs_elapsed,interval_qps"
    ReportedInterval interval;
    if (std::sscanf(std::string(line).c_str(), "%" SCNd64 ",%" SCNd64, &interval.end_s,
                    &interval.operations) == 2) {
      intervals.push_back(interval);
    }
  }
  return intervals;
}

Result<double> RateOf(const std::vector<ReportedInterval>& intervals, size_t first, size_t end) {
  if (first >= end || end > intervals.size()) {
    return Error{"db_bench reported " + std::to_string(intervals.size()) +
                 " intervals, and none that lies between " + std::to_string(first) + " and " +
                 std::to_string(end)};
  }
  int64_t operations = 0;
  for (size_t i = first; i < end; ++i) operations += intervals[i].operations;
  const int64_t begin_s = first == 0 ? 0 : intervals[first - 1].end_s;
  const int64_t seconds = intervals[end - 1].end_s - begin_s;
  if (seconds <= 0) return Error{"db_bench's report of intervals does not go on in time"};
  return static_cast<double>(operations) / static_cast<double>(seconds);
}

Result<double> ParseOpenPutCloseOutput(std::string_view output) {
  return ParseOwnProgram(output, "open_put_close");
}

Result<std::pair<double, double>> ParsePageStoreOutput(std::string_view output,
                                                       std::string_view row) {
  const std::string format = "page_store_benchmark: " + std::string(row) + " %lf beside %lf";
  for (const std::string_view line : SplitLines(output)) {
    double measured = 0;
    double yardstick = 0;
    if (std::sscanf(std::string(line).c_str(), format.c_str(), &measured, &yardstick) == 2 &&
        measured > 0 && yardstick > 0) {
      return std::make_pair(yardstick, measured);
    }
  }
  return Error{"page_store_benchmark printed no " + std::string(row) + "; its last lines were:\n" +
               LastLines(output, 5)};
}

Result<double> ParseOpenReplayOutput(std::string_view output) {
  return ParseOwnProgram(output, "open_replay");
}

}  // namespace bloom_lfs::bench
