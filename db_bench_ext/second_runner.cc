#include "db_bench_ext/second_runner.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>
#include <vector>

#include "db_bench_ext/background_load.h"
#include "db_bench_ext/child_process.h"
#include "db_bench_ext/format.h"
#include "db_bench_ext/frozen_run.h"

namespace bloom_lfs::bench {
namespace {

constexpr uint64_t kLoopDiskBytes = uint64_t{3} << 29;  // fio's file, or a side log of 1 GiB
constexpr uint64_t kNbdBytes = uint64_t{2} << 30;       // none of them taken before it is written

// Long enough for some whole seconds that are counted.
std::chrono::seconds FrozenTime(const Workload& workload, double scale) {
  return std::chrono::seconds(std::max(3LL, std::llround(workload.duration_s * scale)));
}

}  // namespace

SecondRunner::SecondRunner(const Setup* setup, const WorkDirectory* directory,
                           const DeviceLimit* device)
    : setup_(*setup), directory_(*directory), device_(*device) {}

std::optional<std::string> SecondRunner::ReasonToSkip(const Workload& workload) {
  const SecondPlace& second = *workload.second;
  if (second.beside == SecondPlace::Beside::kWithout && setup_.plugin_without_second.empty()) {
    return "it needs --without_second=<libbloom_lfs.so built before there was a second place>; "
           "db_bench_ext/README.md says how to build it";
  }
  if (second.where == SecondPlace::Where::kNbd &&
      !RunToEnd({{setup_.nbdkit, "--version"}, "", ""}, setup_.timeout).ok()) {
    return setup_.nbdkit + " does not run; install it (Debian: nbdkit) or name it with --nbdkit";
  }
  std::optional<std::string> reason;
  if (second.db_on_loop_disk) reason = MakeLoopDisk("db_disk", &db_disk_);
  if (!reason.has_value() && second.where == SecondPlace::Where::kLoopDisk) {
    reason = MakeLoopDisk("side_disk", &side_disk_);
  }
  return reason;
}

std::optional<std::string> SecondRunner::MakeLoopDisk(const std::string& name,
                                                      std::unique_ptr<LoopDisk>* disk) {
  if (*disk != nullptr) return std::nullopt;
  if (no_loop_disk_.has_value()) return no_loop_disk_;
  Result<std::unique_ptr<LoopDisk>> made =
      LoopDisk::Create(directory_.path(), name, kLoopDiskBytes);
  if (!made.ok()) {
    no_loop_disk_ = made.error().message;
    return no_loop_disk_;
  }
  *disk = std::move(made.value());
  return std::nullopt;
}

Result<PairSample> SecondRunner::Run(const Workload& workload, int round,
                                     const ProgressFunction& progress) {
  std::optional<BackgroundLoad> load;
  if (workload.beside_fio) {
    Result<BackgroundLoad> started =
        BackgroundLoad::Start(setup_.fio, DirectoryOf(workload), setup_.fio_arguments);
    if (!started.ok()) return started.error();
    load.emplace(std::move(started.value()));
  }
  std::vector<Arm> arms = {Arm::kStock, Arm::kPlugin};
  if (round % 2 == 1) std::reverse(arms.begin(), arms.end());
  PairSample sample;
  for (const Arm arm : arms) {
    const Result<ArmReading> reading = RunArm(workload, arm, round);
    if (!reading.ok()) return Error{std::string(NameOf(arm)) + ": " + reading.error().message};
    (arm == Arm::kStock ? sample.stock : sample.plugin) = reading.value();
    progress(std::string(NameOf(arm)) + "  " +
             FormatMetric(workload.metric, reading.value().metric));
  }
  if (load.has_value()) {
    if (Failure failure = load->CheckStillRunning()) return *failure;
  }
  return sample;
}

const WorkDirectory& SecondRunner::DirectoryOf(const Workload& workload) const {
  return workload.second->db_on_loop_disk ? db_disk_->directory() : directory_;
}

Result<SecondRunner::Place> SecondRunner::MakePlace(SecondPlace::Where where) const {
  if (where == SecondPlace::Where::kNone) return Place();
  if (where == SecondPlace::Where::kNbd) {
    Result<NbdServer> server =
        NbdServer::Start(setup_.nbdkit, directory_.path() + "/nbd.image", kNbdBytes);
    if (!server.ok()) return server.error();
    std::string address = server.value().uri();
    return Place{std::move(address), std::move(server.value())};
  }
  const bool on_loop_disk = where == SecondPlace::Where::kLoopDisk;
  const WorkDirectory& parent = on_loop_disk ? side_disk_->directory() : directory_;
  const Result<std::string> directory = parent.FreshSubdirectory("second");
  if (!directory.ok()) return directory.error();
  return Place{directory.value(), std::nullopt};
}

Result<ArmReading> SecondRunner::RunArm(const Workload& workload, Arm arm, int round) {
  const SecondPlace& second = *workload.second;
  if (arm == Arm::kStock && second.beside == SecondPlace::Beside::kSideDisk) {
    return MeasureSideDisk(workload);
  }
  const Result<std::string> db = DirectoryOf(workload).FreshSubdirectory("db");
  if (!db.ok()) return db.error();
  const Result<Place> place =
      MakePlace(arm == Arm::kPlugin ? second.where : SecondPlace::Where::kNone);
  if (!place.ok()) return place.error();
  // Beside fio there is nothing to settle: it keeps the file system dirty on purpose.
  if (!workload.beside_fio) {
    if (Failure failure = DirectoryOf(workload).SettleFileSystem()) return *failure;
    if (Failure failure = directory_.SettleFileSystem()) return *failure;
  }
  if (second.frozen) return RunWhileFrozen(workload, arm, round, db.value(), place.value().address);
  const Command command =
      SecondPlaceCommand(setup_, workload, arm, round, db.value(), place.value().address);
  const Result<ChildOutput> output = RunToEnd(command, setup_.timeout);
  if (!output.ok()) return output.error();
  if (place.value().server.has_value() && !setup_.plugin_uri.empty()) {
    if (Failure failure = place.value().server->CheckItWasWritten()) return *failure;
  }
  Result<ArmReading> reading = ReadArmOutput(workload, output.value().standard_output);
  if (reading.ok()) {
    AddUsage(command, workload, output.value().usage, &reading.value());
    AddOverTime(workload, output.value().standard_output, output.value().standard_error,
                &reading.value());
  }
  return reading;
}

Result<ArmReading> SecondRunner::MeasureSideDisk(const Workload& workload) const {
  if (Failure failure = directory_.SettleFileSystem()) return *failure;
  const Result<DurableOverwrites> limit =
      device_.MeasureDurableOverwrites(workload.bound_s * setup_.scale);
  if (!limit.ok()) return limit.error();
  return ArmReading{limit.value().ops_per_s, std::nullopt, std::nullopt};
}

Result<ArmReading> SecondRunner::RunWhileFrozen(const Workload& workload, Arm arm, int round,
                                                const std::string& db, const std::string& place) {
  const Result<std::string> report = directory_.FreshSubdirectory("report");
  if (!report.ok()) return report.error();
  FrozenRun run;
  run.frozen = FrozenTime(workload, setup_.scale);
  run.mount_point = db_disk_->mount_point();
  run.report = report.value() + "/intervals.csv";
  run.timeout = setup_.timeout;
  Setup unscaled = setup_;
  unscaled.scale = 1;
  Workload longer = workload;
  longer.duration_s = static_cast<int>((kBeforeFreeze + run.frozen + kAfterFreeze).count());
  run.db_bench = SecondPlaceCommand(unscaled, longer, arm, round, db, place);
  const Result<FrozenOutput> output = RunFrozen(run);
  if (!output.ok()) return output.error();
  Result<ArmReading> reading = ReadArmOutput(workload, output.value().standard_output);
  if (!reading.ok()) return reading;
  if (workload.metric == Metric::kOpsPerS) reading.value().metric = output.value().ops_per_s;
  AddOverTime(workload, output.value().standard_output, output.value().standard_error,
              &reading.value());
  return reading;
}

}  // namespace bloom_lfs::bench
