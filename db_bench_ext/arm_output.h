#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "db_bench_ext/child_process.h"
#include "db_bench_ext/db_bench_output.h"
#include "db_bench_ext/rate_series.h"
#include "db_bench_ext/result.h"
#include "db_bench_ext/workload.h"

namespace bloom_lfs::bench {

// What one child said.
struct ArmReading {
  double metric = 0;
  std::optional<double> mib_per_s;
  // The writer beside the measured readers. Only with Afterwards::kWriteCount.
  std::optional<double> writes_per_s;
  // Only where db_bench ran with --histogram.
  std::optional<Latencies> latencies = std::nullopt;
  std::optional<double> longest_us = std::nullopt;  // operation
  std::optional<uint64_t> operations = std::nullopt;
  // Of the whole child, with what it does before and after the benchmark.
  std::optional<ResourceUsage> usage = std::nullopt;
  // Bytes written for each byte of keys and values. Only of benchmarks that do nothing but write.
  std::optional<double> written_per_user_byte = std::nullopt;
  // What the block device below the database was given, by anybody, until all was written out.
  std::optional<uint64_t> device_written_bytes = std::nullopt;
  std::optional<double> device_written_per_user_byte = std::nullopt;
  std::optional<RateSeries> over_time = std::nullopt;
};

// Adds what the child used, and what it wrote for each byte it was given.
void AddUsage(const Command& command, const Workload& workload, const ResourceUsage& usage,
              ArmReading* reading);

// The same for what the device was given.
void AddDeviceWrites(const Command& command, const Workload& workload, uint64_t bytes,
                     ArmReading* reading);

// Adds the operations over time, if the child has reported them.
void AddOverTime(const Workload& workload, const std::string& standard_output,
                 const std::string& standard_error, ArmReading* reading);

// Takes the workload's figures from the standard output of its program.
Result<ArmReading> ReadArmOutput(const Workload& workload, const std::string& output);

}  // namespace bloom_lfs::bench
