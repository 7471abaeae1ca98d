#include "db_bench_ext/workload_set.h"

namespace bloom_lfs::bench {
namespace {

constexpr uint64_t kGiB = uint64_t{1} << 30;

}  // namespace

Result<WorkloadSet> FindWorkloadSet(const std::string& name) {
  const WorkloadSet defaults{"default", DefaultRows(), std::chrono::seconds(240), 3 * kGiB};
  const WorkloadSet features{"features", FeatureRows(), std::chrono::seconds(660), 6 * kGiB};
  if (name == defaults.name) return defaults;
  if (name == features.name) return features;
  if (name != "all") {
    return Error{"--set=" + name + " is no set of workloads; use default, features or all"};
  }
  WorkloadSet all{name, defaults.workloads, defaults.budget + features.budget,
                  features.needed_bytes};
  all.workloads.insert(all.workloads.end(), features.workloads.begin(), features.workloads.end());
  return all;
}

}  // namespace bloom_lfs::bench
