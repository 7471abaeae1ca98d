#pragma once

#include <string>
#include <utility>
#include <vector>

#include "db_bench_ext/results_document.h"

namespace bloom_lfs::bench::sample {

inline ArmReading Arm(double metric) {
  ArmReading arm;
  arm.metric = metric;
  arm.mib_per_s = 1.5;
  arm.operations = 1000;
  arm.latencies = Latencies{100.5, 200, 400, 9000};
  arm.usage = ResourceUsage{1.25, 30 << 20, 5000};
  arm.written_per_user_byte = 2.5;
  arm.longest_us = 123456;
  arm.device_written_bytes = 7000;
  arm.device_written_per_user_byte = 3.5;
  arm.over_time = RateSeries{0.1, {metric, metric, 0, 0, metric}};
  return arm;
}

inline Comparison Row(const std::string& name, Metric metric,
                      const std::vector<std::pair<double, double>>& figures) {
  Comparison comparison;
  comparison.workload.name = name;
  comparison.workload.title = name + ", 100 B";
  comparison.workload.metric = metric;
  comparison.workload.bound = Bound::kDurableOverwrites;
  for (const auto& [stock, plugin] : figures) {
    PairSample pair;
    pair.stock = Arm(stock);
    pair.plugin = Arm(plugin);
    pair.durable_overwrites = DurableOverwrites{500, 900, Latencies{50, 60, 900, 1000}};
    pair.sequential_mib_per_s = 700;
    comparison.pairs.push_back(pair);
  }
  return comparison;
}

// One row of every kind.
inline ResultsDocument SomeDocument() {
  Comparison failed = Row("failing", Metric::kElapsedS, {});
  failed.failure = Error{"stock: the child exited with 1"};
  Comparison skipped = Row("skipping", Metric::kOpsPerS, {});
  skipped.skipped = "needs root";
  Comparison three =
      Row("three", Metric::kOpsPerS, {{100, 90}, {100, 95}, {100, 92}, {100, 92}, {100, 92}});
  three.pairs[0].stock_without_wal = Arm(300);
  Comparison faster = Row("faster", Metric::kP999Us,
                          {{1000, 500}, {1000, 400}, {1000, 450}, {1000, 450}, {1000, 450}});
  faster.workload.beside_fio = true;
  ResultsDocument document = MakeDocument(
      {Row("better", Metric::kOpsPerS,
           {{100, 150}, {100, 160}, {110, 150}, {100, 150}, {100, 150}}),
       three,
       Row("none", Metric::kOpsPerS, {{100, 90}, {100, 110}, {100, 105}, {100, 105}, {100, 105}}),
       faster, Row("one", Metric::kOpsPerS, {{100, 130}}), failed, skipped},
      5);
  document.measured = "db_bench 7.8.3, ext4 without journal: --set=default";
  document.facts = {{"machine", "2 × processor"}, {"kernel", "Linux 6"}, {"date", "2026-01-31"}};
  return document;
}

// With an arm beyond stock and plugin, which one row has and another has not.
inline Comparison RowWithArms(const std::string& name) {
  Comparison comparison =
      Row(name, Metric::kOpsPerS, {{100, 150}, {100, 160}, {110, 150}, {100, 150}, {100, 150}});
  for (PairSample& pair : comparison.pairs) pair.further = {{"plugin{a=<1>}", Arm(200)}};
  comparison.absent = {{"no-wal", "without a log there is nothing to sync"}};
  return comparison;
}

// Of two file systems and one that was skipped.
inline ResultsDocument DocumentOfFileSystems() {
  ResultsDocument document;
  document.measured = "db_bench 7.8.3, ext4,xfs,btrfs on loop devices: --set=default";
  for (const char* name : {"ext4", "xfs"}) {
    ResultsDocument section = MakeDocument({RowWithArms("better")}, 5);
    section.file_system = name;
    section.facts = {{"file system", name}};
    document.pairs_planned += section.pairs_planned;
    document.sections.push_back(section);
  }
  ResultsDocument skipped;
  skipped.file_system = "btrfs";
  skipped.skipped = "mkfs.btrfs does not run; install it (Debian: btrfs-progs)";
  document.sections.push_back(skipped);
  return document;
}

}  // namespace bloom_lfs::bench::sample
