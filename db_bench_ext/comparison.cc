#include "db_bench_ext/comparison.h"

#include <algorithm>
#include <utility>

#include "db_bench_ext/background_load.h"
#include "db_bench_ext/child_process.h"
#include "db_bench_ext/format.h"
#include "db_bench_ext/page_cache.h"

namespace bloom_lfs::bench {
namespace {

std::vector<Arm> ArmsInOrder(const Workload& workload, int round) {
  std::vector<Arm> arms = {Arm::kStock, Arm::kPlugin};
  if (workload.bound == Bound::kStockWithoutWal) arms.push_back(Arm::kStockWithoutWal);
  const auto first = static_cast<size_t>(round) % arms.size();
  std::rotate(arms.begin(), arms.begin() + static_cast<ptrdiff_t>(first), arms.end());
  return arms;
}

void Store(Arm arm, const ArmReading& reading, PairSample* sample) {
  switch (arm) {
    case Arm::kStock:
      sample->stock = reading;
      return;
    case Arm::kPlugin:
      sample->plugin = reading;
      return;
    case Arm::kStockWithoutWal:
      sample->stock_without_wal = reading;
      return;
  }
}

}  // namespace

PairRunner::PairRunner(const Setup* setup, const WorkDirectory* directory,
                       const DeviceLimit* device)
    : setup_(*setup), directory_(*directory), device_(*device), prepared_(setup, directory) {}

Result<PairSample> PairRunner::Run(const Workload& workload, int round,
                                   const ProgressFunction& progress) {
  std::optional<BackgroundLoad> load;
  if (workload.beside_fio) {
    if (Failure failure = directory_.SettleFileSystem()) return *failure;
    const Result<std::string> directory = directory_.FreshSubdirectory("fio");
    if (!directory.ok()) return directory.error();
    Result<BackgroundLoad> started =
        BackgroundLoad::Start(setup_.fio, directory.value(), setup_.fio_arguments);
    if (!started.ok()) return started.error();
    load.emplace(std::move(started.value()));
  }

  PairSample sample;
  bool bound_measured = false;
  for (const Arm arm : ArmsInOrder(workload, round)) {
    const Result<ArmReading> reading = RunArm(workload, arm, round);
    if (!reading.ok()) return Error{std::string(NameOf(arm)) + ": " + reading.error().message};
    Store(arm, reading.value(), &sample);
    progress(std::string(NameOf(arm)) + "  " +
             FormatMetric(workload.metric, reading.value().metric));
    if (bound_measured) continue;
    if (Failure failure = MeasureBound(workload, &sample, progress)) return *failure;
    bound_measured = true;
  }
  if (load.has_value()) {
    if (Failure failure = load->CheckStillRunning()) return *failure;
  }
  return sample;
}

Result<ArmReading> PairRunner::RunArm(const Workload& workload, Arm arm, int round) {
  const Result<std::string> db = MakeReady(workload, arm);
  if (!db.ok()) return db.error();
  const Command command = MeasuredCommand(setup_, workload, arm, round, db.value());
  const Result<ChildOutput> output = RunToEnd(command, setup_.timeout);
  if (!output.ok()) return output.error();
  Result<ArmReading> reading = ReadArmOutput(workload, output.value().standard_output);
  if (!reading.ok()) return Error{reading.error().message + "\n" + ToShellLine(command)};
  return reading;
}

Result<std::string> PairRunner::MakeReady(const Workload& workload, Arm arm) {
  constexpr char kName[] = "db";
  Result<std::string> db = workload.preparation.has_value()
                               ? prepared_.ForRun(*workload.preparation, arm, kName)
                               : directory_.FreshSubdirectory(kName);
  if (!db.ok()) return db;
  // Beside fio there is nothing to settle: it keeps the file system dirty on purpose.
  if (!workload.beside_fio) {
    if (Failure failure = directory_.SettleFileSystem()) return *failure;
  }
  Failure failure;
  if (workload.page_cache == PageCache::kCold) failure = DropFromPageCache(db.value());
  if (workload.page_cache == PageCache::kWarm) failure = ReadIntoPageCache(db.value());
  if (failure.has_value()) return *failure;
  return db;
}

Failure PairRunner::MeasureBound(const Workload& workload, PairSample* sample,
                                 const ProgressFunction& progress) const {
  if (workload.bound == Bound::kNone || workload.bound == Bound::kStockWithoutWal) {
    return std::nullopt;
  }
  if (!workload.beside_fio) {
    if (Failure failure = directory_.SettleFileSystem()) return failure;
  }
  const double seconds = workload.bound_s * setup_.scale;
  if (workload.bound == Bound::kSequentialWrite) {
    const Result<double> mib_per_s = device_.MeasureSequentialMibPerS(seconds);
    if (!mib_per_s.ok()) return mib_per_s.error();
    sample->sequential_mib_per_s = mib_per_s.value();
    progress("device  " + FormatCount(mib_per_s.value()) + " MiB/s");
    return std::nullopt;
  }
  const Result<DurableOverwrites> overwrites = device_.MeasureDurableOverwrites(seconds);
  if (!overwrites.ok()) return overwrites.error();
  sample->durable_overwrites = overwrites.value();
  progress("device  " + (workload.bound == Bound::kDurableOverwriteP999
                             ? FormatMetric(Metric::kP999Us, overwrites.value().p999_us)
                             : FormatMetric(Metric::kOpsPerS, overwrites.value().ops_per_s)));
  return std::nullopt;
}

}  // namespace bloom_lfs::bench
