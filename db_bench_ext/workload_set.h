#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "db_bench_ext/result.h"
#include "db_bench_ext/workload.h"

namespace bloom_lfs::bench {

// Workloads that are run together, for --set.
struct WorkloadSet {
  std::string name;
  std::vector<Workload> workloads;  // in the order of the table
  // Within which the default number of pairs should be measured.
  std::chrono::seconds budget{0};
  // What the set leaves on the disk at once, with room to spare.
  uint64_t needed_bytes = 0;
};

// "default", "logs", "features", "flash", "second", "figures" or "all" (without "figures").
Result<WorkloadSet> FindWorkloadSet(const std::string& name);

// What of a set's budget is left when building has taken so long already: so much that all of it
// ends within the budget and 45 s, but at least a third. A budget of 0,
// no limit, stays.
std::chrono::seconds BudgetAfter(std::chrono::seconds spent, std::chrono::seconds budget);

std::vector<Workload> DefaultRows();
std::vector<Workload> LogRows();
std::vector<Workload> FeatureRows();
std::vector<Workload> FlashRows();
std::vector<Workload> SecondRows();
std::vector<Workload> FigureRows();

}  // namespace bloom_lfs::bench
