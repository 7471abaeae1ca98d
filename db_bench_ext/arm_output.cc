#include "db_bench_ext/arm_output.h"

#include <algorithm>
#include <array>
#include <cstdlib>

namespace bloom_lfs::bench {
namespace {

Result<ArmReading> Elapsed(const Result<double>& elapsed_s) {
  if (!elapsed_s.ok()) return elapsed_s.error();
  return ArmReading{elapsed_s.value(), std::nullopt, std::nullopt};
}

Failure ChargeCompaction(const std::string& output, const DbBenchResult& result,
                         ArmReading* reading) {
  const Result<double> compaction_s = ParseDbBenchSeconds(output, "compact");
  if (!compaction_s.ok()) return compaction_s.error();
  const double total_s = result.elapsed_s + compaction_s.value();
  reading->metric = static_cast<double>(result.operations) / total_s;
  if (reading->mib_per_s.has_value()) *reading->mib_per_s *= result.elapsed_s / total_s;
  return std::nullopt;
}

Failure CountWrites(const std::string& output, const DbBenchResult& result, ArmReading* reading) {
  const Result<double> writes = ParseCumulativeWrites(output);
  if (!writes.ok()) return writes.error();
  reading->writes_per_s = writes.value() / result.elapsed_s;
  return std::nullopt;
}

// What the last argument of that name says; db_bench's default if there is none.
uint64_t NumberOf(const Command& command, const std::string& name, uint64_t otherwise) {
  uint64_t number = otherwise;
  const std::string prefix = "--" + name + "=";
  for (const std::string& argument : command.argv) {
    if (argument.rfind(prefix, 0) != 0) continue;
    number = std::strtoull(argument.c_str() + prefix.size(), nullptr, 10);
  }
  return number;
}

// Of those, every operation is one key with a value of --value_size.
bool OnlyWrites(const std::string& benchmark) {
  constexpr std::array<const char*, 5> kWriters = {"fillseq", "fillrandom", "filluniquerandom",
                                                   "fillsync", "overwrite"};
  return std::find(kWriters.begin(), kWriters.end(), benchmark) != kWriters.end();
}

Result<ArmReading> ReadDbBench(const Workload& workload, const std::string& output) {
  const int run = workload.own.has_value() ? workload.own->run : 1;
  if (workload.metric == Metric::kElapsedS) {
    return Elapsed(ParseDbBenchSeconds(output, workload.benchmark, run));
  }
  const Result<DbBenchResult> parsed = ParseDbBenchOutput(output, workload.benchmark, run);
  if (!parsed.ok()) return parsed.error();
  const DbBenchResult& result = parsed.value();
  ArmReading reading{result.ops_per_s, result.mib_per_s, std::nullopt};
  reading.latencies = result.latencies;
  reading.operations = result.operations;
  reading.longest_us = result.longest_us;
  if (workload.metric == Metric::kP999Us || workload.metric == Metric::kLongestUs) {
    std::optional<double> figure = result.longest_us;
    if (workload.metric == Metric::kP999Us) {
      figure =
          result.latencies.has_value() ? std::optional(result.latencies->p999_us) : std::nullopt;
    }
    if (!figure.has_value()) {
      return Error{"db_bench --histogram printed no percentiles for " + workload.benchmark +
                   "; this program knows the output of RocksDB 7.8"};
    }
    reading.metric = *figure;
  }
  Failure failure;
  if (workload.afterwards == Afterwards::kChargedCompaction) {
    failure = ChargeCompaction(output, result, &reading);
  } else if (workload.afterwards == Afterwards::kWriteCount) {
    failure = CountWrites(output, result, &reading);
  }
  if (failure.has_value()) return *failure;
  return reading;
}

// Nothing of a benchmark that does not only write.
std::optional<double> PerUserByte(const Command& command, const Workload& workload, uint64_t bytes,
                                  const ArmReading& reading) {
  if (workload.program != Program::kDbBench || !OnlyWrites(workload.benchmark)) return std::nullopt;
  // What the others wrote cannot be told from it.
  if (workload.own.has_value() && !workload.own->alone) return std::nullopt;
  // db_bench's own rate has one digit after the point, too few for small values.
  const uint64_t user_bytes =
      reading.operations.value_or(0) *
      (NumberOf(command, "key_size", 16) + NumberOf(command, "value_size", 100));
  if (user_bytes == 0) return std::nullopt;
  return static_cast<double>(bytes) / static_cast<double>(user_bytes);
}

}  // namespace

void AddUsage(const Command& command, const Workload& workload, const ResourceUsage& usage,
              ArmReading* reading) {
  reading->usage = usage;
  reading->written_per_user_byte = PerUserByte(command, workload, usage.written_bytes, *reading);
}

void AddDeviceWrites(const Command& command, const Workload& workload, uint64_t bytes,
                     ArmReading* reading) {
  reading->device_written_bytes = bytes;
  reading->device_written_per_user_byte = PerUserByte(command, workload, bytes, *reading);
}

void AddOverTime(const Workload& workload, const std::string& standard_output,
                 const std::string& standard_error, ArmReading* reading) {
  if (workload.program != Program::kDbBench) return;
  // Reports do not say which benchmark of a command line they are about.
  if (workload.own.has_value() && !workload.own->alone) return;
  const Result<DbBenchResult> result = ParseDbBenchOutput(standard_output, workload.benchmark);
  if (!result.ok()) return;
  reading->over_time =
      ReadRateSeries(standard_error, result.value().elapsed_s, result.value().operations);
}

Result<ArmReading> ReadArmOutput(const Workload& workload, const std::string& output) {
  switch (workload.program) {
    case Program::kOpenPutClose:
      return Elapsed(ParseOpenPutCloseOutput(output));
    case Program::kOpenReplay:
      return Elapsed(ParseOpenReplayOutput(output));
    case Program::kDbBench:
      return ReadDbBench(workload, output);
    case Program::kPageStoreBenchmark:
      break;  // has no arms
  }
  return Error{workload.name + " names no program"};
}

}  // namespace bloom_lfs::bench
