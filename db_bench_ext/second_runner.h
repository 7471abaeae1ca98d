#pragma once

#include <memory>
#include <optional>
#include <string>

#include "db_bench_ext/arm_command.h"
#include "db_bench_ext/comparison.h"
#include "db_bench_ext/device_limit.h"
#include "db_bench_ext/loop_disk.h"
#include "db_bench_ext/nbd_server.h"
#include "db_bench_ext/result.h"
#include "db_bench_ext/work_directory.h"
#include "db_bench_ext/workload.h"

namespace bloom_lfs::bench {

// Runs pairs of the workloads that have a second place. Loop disks are made when the first pair
// asks for them.
class SecondRunner {
 public:
  // All three must outlive the runner.
  SecondRunner(const Setup* setup, const WorkDirectory* directory, const DeviceLimit* device);

  // Why the workload cannot be measured on this machine, if so.
  std::optional<std::string> ReasonToSkip(const Workload& workload);

  // REQUIRES: no reason to skip it
  Result<PairSample> Run(const Workload& workload, int round, const ProgressFunction& progress);

 private:
  // The second place of one run, new, and the server that it needs.
  struct Place {
    std::string address;  // empty: none
    std::optional<NbdServer> server;
  };

  std::optional<std::string> MakeLoopDisk(const std::string& name, std::unique_ptr<LoopDisk>* disk);
  const WorkDirectory& DirectoryOf(const Workload& workload) const;
  Result<Place> MakePlace(SecondPlace::Where where) const;
  Result<ArmReading> RunArm(const Workload& workload, Arm arm, int round);
  Result<ArmReading> MeasureSideDisk(const Workload& workload) const;
  Result<ArmReading> RunWhileFrozen(const Workload& workload, Arm arm, int round,
                                    const std::string& db, const std::string& place);

  const Setup& setup_;
  const WorkDirectory& directory_;
  const DeviceLimit& device_;
  std::unique_ptr<LoopDisk> db_disk_;
  std::unique_ptr<LoopDisk> side_disk_;
  std::optional<std::string> no_loop_disk_;  // why
};

}  // namespace bloom_lfs::bench
