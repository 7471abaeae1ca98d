#include "db_bench_ext/workload_set.h"

#include <algorithm>

namespace bloom_lfs::bench {
namespace {

constexpr uint64_t kGiB = uint64_t{1} << 30;

}  // namespace

Result<WorkloadSet> FindWorkloadSet(const std::string& name) {
  const WorkloadSet sets[] = {{"default", DefaultRows(), std::chrono::seconds(240), 3 * kGiB},
                              {"logs", LogRows(), std::chrono::seconds(240), 3 * kGiB},
                              {"features", FeatureRows(), std::chrono::seconds(660), 6 * kGiB},
                              {"flash", FlashRows(), std::chrono::seconds(900), 8 * kGiB},
                              {"second", SecondRows(), std::chrono::seconds(600), 7 * kGiB}};
  if (name == "figures") {
    return WorkloadSet{name, FigureRows(), std::chrono::seconds(240), 3 * kGiB};
  }
  WorkloadSet all;
  all.name = "all";
  for (const WorkloadSet& set : sets) {
    if (set.name == name) return set;
    all.workloads.insert(all.workloads.end(), set.workloads.begin(), set.workloads.end());
    all.budget += set.budget;
    all.needed_bytes = std::max(all.needed_bytes, set.needed_bytes);
  }
  if (name == all.name) return all;
  return Error{
      "--set=" + name +
      " is no set of workloads; use default, logs, features, flash, second, figures or all"};
}

std::chrono::seconds BudgetAfter(std::chrono::seconds spent, std::chrono::seconds budget) {
  constexpr std::chrono::seconds kAround{45};  // a look at the disk, preparations, the report
  return std::clamp(budget + kAround - spent, budget / 3, budget);
}

}  // namespace bloom_lfs::bench
