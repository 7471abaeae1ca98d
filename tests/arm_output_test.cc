#include "db_bench_ext/arm_output.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace bloom_lfs::bench {
namespace {

const char kFill[] =
    "fillrandom   :     293.700 micros/op 3402 ops/sec 2.000 seconds 4000 operations;  212.0 "
    "MB/s\n";
const char kCompact[] =
    "compact      : 2000000.000 micros/op 0 ops/sec 2.000 seconds 1 operations;\n";

Workload Fillrandom(Afterwards afterwards) {
  Workload workload;
  workload.benchmark = "fillrandom";
  workload.afterwards = afterwards;
  return workload;
}

TEST(ArmOutputTest, WithoutAnythingAfterwardsTheRateIsDbBenchsOwn) {
  const Result<ArmReading> reading = ReadArmOutput(Fillrandom(Afterwards::kNothing), kFill);
  ASSERT_TRUE(reading.ok()) << reading.error().message;
  EXPECT_DOUBLE_EQ(reading.value().metric, 3402);
  EXPECT_DOUBLE_EQ(reading.value().mib_per_s.value_or(0), 212);
  EXPECT_FALSE(reading.value().writes_per_s.has_value());
}

TEST(ArmOutputTest, ACompactionsTimeIsChargedToTheWrites) {
  const Result<ArmReading> reading =
      ReadArmOutput(Fillrandom(Afterwards::kChargedCompaction), std::string(kFill) + kCompact);
  ASSERT_TRUE(reading.ok()) << reading.error().message;
  EXPECT_DOUBLE_EQ(reading.value().metric, 1000);
  EXPECT_DOUBLE_EQ(reading.value().mib_per_s.value_or(0), 106);
}

TEST(ArmOutputTest, ACompactionThatDidNotHappenIsAnError) {
  EXPECT_FALSE(ReadArmOutput(Fillrandom(Afterwards::kChargedCompaction), kFill).ok());
}

TEST(ArmOutputTest, TheWriterIsCountedOverTheTimeOfTheReaders) {
  const std::string stats = "Cumulative writes: 190K writes, 190K keys\n";
  const Result<ArmReading> reading =
      ReadArmOutput(Fillrandom(Afterwards::kWriteCount), kFill + stats);
  ASSERT_TRUE(reading.ok()) << reading.error().message;
  EXPECT_DOUBLE_EQ(reading.value().metric, 3402);
  EXPECT_DOUBLE_EQ(reading.value().writes_per_s.value_or(0), 95000);
  EXPECT_FALSE(ReadArmOutput(Fillrandom(Afterwards::kWriteCount), kFill).ok());
}

TEST(ArmOutputTest, AHistogramHasThePercentileAndTheLongest) {
  const std::string histogram =
      "Min: 100  Median: 200.0  Max: 104000\n"
      "Percentiles: P50: 200.00 P75: 300.00 P99: 400.00 P99.9: 500.00 P99.99: 600.00\n";
  Workload workload = Fillrandom(Afterwards::kNothing);
  for (const auto& [metric, figure] :
       {std::pair(Metric::kP999Us, 500.0), std::pair(Metric::kLongestUs, 104000.0)}) {
    workload.metric = metric;
    EXPECT_DOUBLE_EQ(ReadArmOutput(workload, kFill + histogram).value().metric, figure);
    EXPECT_FALSE(ReadArmOutput(workload, kFill).ok()) << "without a histogram";
  }
}

TEST(ArmOutputTest, WhatWasWrittenIsHeldAgainstTheBytesOfKeysAndValues) {
  Workload workload = Fillrandom(Afterwards::kNothing);
  const ResourceUsage usage{1.5, 1 << 20, 4000 * 232};
  const ArmReading measured = ReadArmOutput(workload, kFill).value();
  const auto written = [&](std::vector<std::string> argv) {
    ArmReading reading = measured;
    AddUsage({std::move(argv), "", ""}, workload, usage, &reading);
    EXPECT_DOUBLE_EQ(reading.usage->processor_s, 1.5);
    return reading.written_per_user_byte;
  };
  EXPECT_DOUBLE_EQ(written({"db_bench"}).value_or(0), 2);
  EXPECT_DOUBLE_EQ(written({"db_bench", "--value_size=1", "--value_size=216"}).value_or(0), 1);
  workload.benchmark = "fill100K";
  EXPECT_FALSE(written({"db_bench"}).has_value()) << "its values have a size of their own";
  workload.benchmark = "readwhilewriting";
  EXPECT_FALSE(written({"db_bench"}).has_value()) << "db_bench counts the readers' bytes";
}

TEST(ArmOutputTest, TheDevicesShareIsHeldAgainstTheSameBytes) {
  ArmReading reading = ReadArmOutput(Fillrandom(Afterwards::kNothing), kFill).value();
  AddDeviceWrites({{"db_bench"}, "", ""}, Fillrandom(Afterwards::kNothing), 4000 * 348, &reading);
  EXPECT_EQ(reading.device_written_bytes, 4000U * 348);
  EXPECT_DOUBLE_EQ(reading.device_written_per_user_byte.value_or(0), 3);
}

TEST(ArmOutputTest, ReportsOnTheWayBecomeASeries) {
  std::string reports;
  for (int i = 1; i <= 20; ++i) {
    reports += "... thread 0: (200," + std::to_string(200 * i) +
               ") ops and (1,1) ops/second in (1," + std::to_string(0.1 * i) + ") seconds\n";
  }
  Workload workload = Fillrandom(Afterwards::kNothing);
  ArmReading reading = ReadArmOutput(workload, kFill).value();
  AddOverTime(workload, kFill, "", &reading);
  EXPECT_FALSE(reading.over_time.has_value());
  AddOverTime(workload, kFill, reports, &reading);
  ASSERT_TRUE(reading.over_time.has_value());
  EXPECT_EQ(reading.over_time->ops_per_s, std::vector<double>(20, 2000));
  workload.own.emplace();
  for (const bool alone : {false, true}) {
    workload.own->alone = alone;
    reading.over_time.reset();
    AddOverTime(workload, kFill, reports, &reading);
    EXPECT_EQ(reading.over_time.has_value(), alone) << "reports do not name their benchmark";
  }
  workload.program = Program::kOpenPutClose;
  reading.over_time.reset();
  AddOverTime(workload, kFill, reports, &reading);
  EXPECT_FALSE(reading.over_time.has_value()) << "no db_bench";
}

TEST(ChildUsageTest, TheKernelSaysWhatAChildUsed) {
  const Result<ChildOutput> output =
      RunToEnd({{"sh", "-c", "i=0; while [ $i -lt 200000 ]; do i=$((i + 1)); done"}, "", ""},
               std::chrono::seconds(60));
  ASSERT_TRUE(output.ok()) << output.error().message;
  EXPECT_GT(output.value().usage.processor_s, 0.001);
  EXPECT_GT(output.value().usage.peak_memory_bytes, 100U << 10);
}

TEST(ArmOutputTest, EveryProgramHasItsOwnOutput) {
  Workload workload;
  workload.program = Program::kOpenReplay;
  EXPECT_DOUBLE_EQ(
      ReadArmOutput(workload, "open_replay: 9 records in 1.5 seconds\n").value().metric, 1.5);
  workload.program = Program::kOpenPutClose;
  EXPECT_DOUBLE_EQ(
      ReadArmOutput(workload, "open_put_close: 9 rounds in 2.5 seconds\n").value().metric, 2.5);
}

}  // namespace
}  // namespace bloom_lfs::bench
