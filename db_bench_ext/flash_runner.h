#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "db_bench_ext/arm_command.h"
#include "db_bench_ext/comparison.h"
#include "db_bench_ext/prepared_databases.h"
#include "db_bench_ext/result.h"
#include "db_bench_ext/slow_disk.h"
#include "db_bench_ext/work_directory.h"
#include "db_bench_ext/workload.h"

namespace bloom_lfs::bench {

// Runs pairs of the workloads that have a flash tier. The slow disk, the databases and the tiers
// are made when the first pair asks for them.
class FlashRunner {
 public:
  // Both must outlive the runner.
  FlashRunner(const Setup* setup, const WorkDirectory* directory);

  // Why the workload cannot be measured on this machine, if so.
  std::optional<std::string> ReasonToSkip(const Workload& workload);

  // REQUIRES: no reason to skip it
  Result<PairSample> Run(const Workload& workload, int round, const ProgressFunction& progress);

 private:
  // Where the parts of a pair are.
  struct Place {
    std::string db;
    std::string tier;  // its options
  };

  bool IsSlow(const Workload& workload) const {
    return workload.flash->disk == FlashTier::Disk::kSlow;
  }
  const WorkDirectory& DirectoryOf(const Workload& workload) const;
  Failure LimitDisk(const Workload& workload, bool limited) const;
  Result<Place> Prepare(const Workload& workload, int round);
  Failure FillTier(const Workload& workload, int round, const Place& place);
  Result<PairSample> RunStore(const Workload& workload, int round);
  Result<PairSample> RunInOneProcess(const Workload& workload, int round, const Place& place);
  Result<PairSample> RunTwoProcesses(const Workload& workload, int round, const Place& place,
                                     const ProgressFunction& progress);
  Result<ArmReading> RunOnce(const Workload& workload, int round, const std::string& db,
                             const std::string& tier);

  const Setup& setup_;
  const WorkDirectory& directory_;
  PreparedDatabases prepared_;
  std::unique_ptr<SlowDisk> slow_disk_;
  std::optional<PreparedDatabases> prepared_on_slow_disk_;
  std::optional<std::string> no_slow_disk_;  // why
  std::map<std::string, std::string> warm_;  // options of the tiers that are, by name
};

}  // namespace bloom_lfs::bench
