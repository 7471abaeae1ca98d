#include "db_bench_ext/arm_output.h"

#include "db_bench_ext/db_bench_output.h"

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

Result<ArmReading> ReadDbBench(const Workload& workload, const std::string& output) {
  const Result<DbBenchResult> parsed = ParseDbBenchOutput(output, workload.benchmark);
  if (!parsed.ok()) return parsed.error();
  const DbBenchResult& result = parsed.value();
  ArmReading reading{result.ops_per_s, result.mib_per_s, std::nullopt};
  if (workload.metric == Metric::kP999Us) {
    if (!result.p999_us.has_value()) {
      return Error{"db_bench --histogram printed no percentiles for " + workload.benchmark +
                   "; this program knows the output of RocksDB 7.8"};
    }
    reading.metric = *result.p999_us;
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

}  // namespace

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
