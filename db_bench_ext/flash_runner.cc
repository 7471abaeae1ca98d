#include "db_bench_ext/flash_runner.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "db_bench_ext/child_process.h"
#include "db_bench_ext/db_bench_output.h"
#include "db_bench_ext/format.h"

namespace bloom_lfs::bench {
namespace {

// A network disk of a small instance in the cloud.
constexpr DiskLimits kSlowDisk = {3000, 125000000};
constexpr uint64_t kSlowDiskBytes = uint64_t{1} << 30;

// The workload, doing something else for another time.
Workload WarmUpOf(const Workload& workload) {
  Workload warm_up = workload;
  // One that is to be killed must not end before.
  const bool killed = workload.flash->start == FlashTier::Start::kKilled;
  warm_up.duration_s = workload.flash->warm_up_s * (killed ? 100 : 1);
  warm_up.operations = 0;
  return warm_up;
}

std::string Twice(const std::string& benchmark) { return benchmark + "," + benchmark; }

PairSample SampleOf(double stock, double plugin) {
  PairSample sample;
  sample.stock.metric = stock;
  sample.plugin.metric = plugin;
  return sample;
}

// Lets it run for that long, and ends it as a crash would.
Failure RunAndKill(const Command& command, std::chrono::seconds duration) {
  Result<ChildProcess> child = ChildProcess::Start(command);
  if (!child.ok()) return child.error();
  return child.value().KillAfter(duration);
}

}  // namespace

FlashRunner::FlashRunner(const Setup* setup, const WorkDirectory* directory)
    : setup_(*setup), directory_(*directory), prepared_(setup, directory) {}

std::optional<std::string> FlashRunner::ReasonToSkip(const Workload& workload) {
  if (!IsSlow(workload) || slow_disk_ != nullptr) return std::nullopt;
  if (no_slow_disk_.has_value()) return no_slow_disk_;
  Result<std::unique_ptr<SlowDisk>> disk = SlowDisk::Create(directory_.path(), kSlowDiskBytes);
  if (!disk.ok()) {
    no_slow_disk_ = disk.error().message;
    return no_slow_disk_;
  }
  slow_disk_ = std::move(disk.value());
  prepared_on_slow_disk_.emplace(&setup_, &slow_disk_->directory());
  return std::nullopt;
}

Result<PairSample> FlashRunner::Run(const Workload& workload, int round,
                                    const ProgressFunction& progress) {
  if (workload.flash->beside == FlashTier::Beside::kYardstick) {
    Result<PairSample> sample = RunStore(workload, round);
    if (sample.ok()) progress(FormatMetric(workload.metric, sample.value().plugin.metric));
    return sample;
  }
  if (Failure failure = LimitDisk(workload, false)) return *failure;
  const Result<Place> place = Prepare(workload, round);
  if (!place.ok()) return place.error();
  if (Failure failure = DirectoryOf(workload).SettleFileSystem()) return *failure;
  if (Failure failure = LimitDisk(workload, true)) return *failure;
  if (workload.flash->beside == FlashTier::Beside::kLater) {
    Result<PairSample> sample = RunInOneProcess(workload, round, place.value());
    if (sample.ok())
      progress("first " + FormatMetric(workload.metric, sample.value().plugin.metric));
    return sample;
  }
  return RunTwoProcesses(workload, round, place.value(), progress);
}

const WorkDirectory& FlashRunner::DirectoryOf(const Workload& workload) const {
  return IsSlow(workload) ? slow_disk_->directory() : directory_;
}

Failure FlashRunner::LimitDisk(const Workload& workload, bool limited) const {
  if (!IsSlow(workload)) return std::nullopt;
  return slow_disk_->Limit(limited ? kSlowDisk : DiskLimits());
}

Result<FlashRunner::Place> FlashRunner::Prepare(const Workload& workload, int round) {
  PreparedDatabases* const databases = IsSlow(workload) ? &*prepared_on_slow_disk_ : &prepared_;
  // Both arms read the same files; those that write have a copy each.
  const Result<std::string> db = databases->ForRun(*workload.preparation, Arm::kStock, "db");
  if (!db.ok()) return db.error();
  const FlashTier& tier = *workload.flash;
  if (tier.start == FlashTier::Start::kWarm && warm_.count(tier.name) > 0) {
    return Place{db.value(), warm_[tier.name]};
  }
  const Result<std::string> directory = directory_.FreshSubdirectory("tier-" + tier.name);
  if (!directory.ok()) return directory.error();
  const Place place = {db.value(),
                       "path=" + directory.value() + ";size=" + std::to_string(tier.bytes)};
  if (tier.start != FlashTier::Start::kEmpty) {
    if (Failure failure = FillTier(workload, round, place)) return *failure;
  }
  if (tier.start == FlashTier::Start::kWarm) warm_[tier.name] = place.tier;
  return place;
}

Failure FlashRunner::FillTier(const Workload& workload, int round, const Place& place) {
  const Workload warm_up = WarmUpOf(workload);
  const Command command =
      FlashCommand(setup_, warm_up, workload.flash->warm_up, round, place.db, place.tier);
  if (workload.flash->start == FlashTier::Start::kKilled) {
    return RunAndKill(command, std::chrono::seconds(workload.flash->warm_up_s * 2));
  }
  const Result<ChildOutput> output = RunToEnd(command, setup_.timeout);
  if (!output.ok()) return output.error();
  return std::nullopt;
}

Result<PairSample> FlashRunner::RunStore(const Workload& workload, int round) {
  const Result<std::string> directory = directory_.FreshSubdirectory("page_store");
  if (!directory.ok()) return directory.error();
  if (Failure failure = directory_.SettleFileSystem()) return *failure;
  const Result<ChildOutput> output = RunToEnd(
      MeasuredCommand(setup_, workload, Arm::kPlugin, round, directory.value()), setup_.timeout);
  if (!output.ok()) return output.error();
  const Result<std::pair<double, double>> figures =
      ParsePageStoreOutput(output.value().standard_output, workload.benchmark);
  if (!figures.ok()) return figures.error();
  return SampleOf(figures.value().first, figures.value().second);
}

Result<PairSample> FlashRunner::RunInOneProcess(const Workload& workload, int round,
                                                const Place& place) {
  const Command command =
      FlashCommand(setup_, workload, Twice(workload.benchmark), round, place.db, place.tier);
  const Result<ChildOutput> output = RunToEnd(command, setup_.timeout);
  if (!output.ok()) return output.error();
  const std::string& said = output.value().standard_output;
  const Result<DbBenchResult> first = ParseDbBenchOutput(said, workload.benchmark, 1);
  const Result<DbBenchResult> second = ParseDbBenchOutput(said, workload.benchmark, 2);
  if (!first.ok()) return first.error();
  if (!second.ok()) return second.error();
  return SampleOf(second.value().ops_per_s, first.value().ops_per_s);
}

Result<PairSample> FlashRunner::RunTwoProcesses(const Workload& workload, int round,
                                                const Place& place,
                                                const ProgressFunction& progress) {
  const bool single_reads = workload.flash->beside == FlashTier::Beside::kSingleReads;
  std::vector<Arm> arms = {Arm::kStock, Arm::kPlugin};
  if (round % 2 == 1) std::reverse(arms.begin(), arms.end());
  PairSample sample;
  for (const Arm arm : arms) {
    Workload run = workload;
    std::string db = place.db;
    if (arm == Arm::kStock && single_reads) run.benchmark = "readrandom";
    if (arm == arms.back() && workload.preparation->use == Preparation::Use::kCopyOfStock) {
      const Result<std::string> copy = prepared_.ForRun(*workload.preparation, Arm::kStock, "db");
      if (!copy.ok()) return copy.error();
      db = copy.value();
      if (Failure failure = directory_.SettleFileSystem()) return *failure;
    }
    const bool with_tier = arm == Arm::kPlugin || single_reads;
    const Result<ArmReading> reading = RunOnce(run, round, db, with_tier ? place.tier : "");
    if (!reading.ok()) return reading.error();
    (arm == Arm::kStock ? sample.stock : sample.plugin) = reading.value();
    progress(std::string(NameOf(arm)) + "  " +
             FormatMetric(workload.metric, reading.value().metric));
  }
  return sample;
}

Result<ArmReading> FlashRunner::RunOnce(const Workload& workload, int round, const std::string& db,
                                        const std::string& tier) {
  std::string benchmarks = workload.benchmark;
  if (workload.flash->again) benchmarks = Twice(benchmarks);
  if (workload.afterwards == Afterwards::kChargedCompaction) benchmarks += ",compact";
  const Command command = FlashCommand(setup_, workload, benchmarks, round, db, tier);
  const Result<ChildOutput> output = RunToEnd(command, setup_.timeout);
  if (!output.ok()) return output.error();
  const std::string& said = output.value().standard_output;
  if (!workload.flash->again) {
    Result<ArmReading> reading = ReadArmOutput(workload, said);
    if (reading.ok()) AddUsage(command, workload, output.value().usage, &reading.value());
    return reading;
  }
  const Result<DbBenchResult> second = ParseDbBenchOutput(said, workload.benchmark, 2);
  if (!second.ok()) return second.error();
  return ArmReading{second.value().ops_per_s, std::nullopt, std::nullopt};
}

}  // namespace bloom_lfs::bench
