#include "db_bench_ext/arm_output.h"

#include <gtest/gtest.h>

#include <string>

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

TEST(ArmOutputTest, AMissingPercentileIsAnError) {
  Workload workload = Fillrandom(Afterwards::kNothing);
  workload.metric = Metric::kP999Us;
  EXPECT_FALSE(ReadArmOutput(workload, kFill).ok());
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
