#include "db_bench_ext/comparison.h"

#include <algorithm>
#include <utility>

#include "db_bench_ext/background_load.h"
#include "db_bench_ext/child_process.h"
#include "db_bench_ext/format.h"
#include "db_bench_ext/page_cache.h"

namespace bloom_lfs::bench {
namespace {

// The readings of further arms come in the order of the round and are kept in that of --arms.
void SortByArm(const std::vector<FurtherArm>& arms, std::vector<FurtherReading>* readings) {
  const auto place = [&](const FurtherReading& reading) {
    return std::find_if(arms.begin(), arms.end(),
                        [&](const FurtherArm& arm) { return arm.name == reading.arm; });
  };
  std::sort(readings->begin(), readings->end(),
            [&](const auto& one, const auto& other) { return place(one) < place(other); });
}

}  // namespace

void PairRunner::Store(const ArmRun& run, const ArmReading& reading, PairSample* sample) {
  if (run.further != nullptr) {
    sample->further.push_back({run.further->arm.name, reading});
    return;
  }
  switch (run.arm) {
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

std::vector<AbsentArm> AbsentArms(const Setup& setup, const Workload& workload) {
  std::vector<AbsentArm> absent;
  for (const FurtherArm& arm : setup.further_arms) {
    if (const std::optional<std::string> reason = ReasonNotIn(arm, workload)) {
      absent.push_back({arm.name, *reason});
    }
  }
  return absent;
}

PairRunner::PairRunner(const Setup* setup, const WorkDirectory* directory,
                       const DeviceLimit* device)
    : setup_(*setup),
      directory_(*directory),
      device_(*device),
      device_writes_(directory->path()),
      prepared_(setup, directory) {
  for (size_t i = 0; i < setup->further_arms.size(); ++i) {
    further_.emplace_back(*setup, i, directory);
  }
}

std::vector<PairRunner::ArmRun> PairRunner::RunsInOrder(const Workload& workload, int round) {
  std::vector<ArmRun> runs = {{Arm::kStock}, {Arm::kPlugin}};
  if (workload.bound == Bound::kStockWithoutWal) runs.push_back({Arm::kStockWithoutWal});
  for (Further& further : further_) {
    if (!ReasonNotIn(further.arm, workload).has_value()) {
      runs.push_back({ArmFor(further.arm), &further});
    }
  }
  const auto first = static_cast<size_t>(round) % runs.size();
  std::rotate(runs.begin(), runs.begin() + static_cast<ptrdiff_t>(first), runs.end());
  return runs;
}

Result<PairSample> PairRunner::Run(const Workload& workload, int round,
                                   const ProgressFunction& progress) {
  if (workload.own.has_value()) return RunOwn(workload, round, progress);
  std::optional<BackgroundLoad> load;
  if (workload.beside_fio) {
    Result<BackgroundLoad> started =
        BackgroundLoad::Start(setup_.fio, directory_, setup_.fio_arguments);
    if (!started.ok()) return started.error();
    load.emplace(std::move(started.value()));
  }

  PairSample sample;
  bool bound_measured = false;
  for (const ArmRun& run : RunsInOrder(workload, round)) {
    const Result<ArmReading> reading = RunArm(workload, run, round);
    if (!reading.ok()) return Error{run.Name() + ": " + reading.error().message};
    Store(run, reading.value(), &sample);
    progress(run.Name() + "  " + FormatMetric(workload.metric, reading.value().metric));
    if (bound_measured) continue;
    if (Failure failure = MeasureBound(workload, &sample, progress)) return *failure;
    bound_measured = true;
  }
  SortByArm(setup_.further_arms, &sample.further);
  if (load.has_value()) {
    if (Failure failure = load->CheckStillRunning()) return *failure;
  }
  return sample;
}

Result<PairSample> PairRunner::RunOwn(const Workload& workload, int round,
                                      const ProgressFunction& progress) {
  if (own_round_ != round) {
    own_round_ = round;
    own_failure_ = RunOwnCommand(workload, round, progress);
    if (own_failure_.has_value()) return *own_failure_;
  }
  if (own_failure_.has_value()) return Error{"the command line failed, as said above"};
  PairSample sample;
  for (const ArmRun& run : RunsInOrder(workload, round)) {
    const Finished& finished = own_runs_.at(run.Name());
    const Result<ArmReading> reading = ReadRun(workload, finished);
    if (!reading.ok()) return Error{run.Name() + ": " + reading.error().message};
    Store(run, reading.value(), &sample);
    progress(run.Name() + "  " + FormatMetric(workload.metric, reading.value().metric));
  }
  SortByArm(setup_.further_arms, &sample.further);
  return sample;
}

Failure PairRunner::RunOwnCommand(const Workload& workload, int round,
                                  const ProgressFunction& progress) {
  own_runs_.clear();
  for (const ArmRun& run : RunsInOrder(workload, round)) {
    Result<Finished> finished = RunChild(workload, run, round);
    if (!finished.ok()) return Error{run.Name() + ": " + finished.error().message};
    progress(run.Name() + "  ended after " +
             FormatMetric(Metric::kElapsedS, finished.value().output.elapsed_s));
    own_runs_.insert_or_assign(run.Name(), std::move(finished.value()));
  }
  return std::nullopt;
}

Result<ArmReading> PairRunner::RunArm(const Workload& workload, const ArmRun& run, int round) {
  const Result<Finished> finished = RunChild(workload, run, round);
  if (!finished.ok()) return finished.error();
  return ReadRun(workload, finished.value());
}

Result<PairRunner::Finished> PairRunner::RunChild(const Workload& workload, const ArmRun& run,
                                                  int round) {
  // What it needs beside its database is made before the file system is settled.
  const Result<Command> ready = CommandOf(workload, run, round, "");
  if (!ready.ok()) return ready.error();
  const Result<std::string> db = MakeReady(workload, run);
  if (!db.ok()) return db.error();
  const Result<Command> command = CommandOf(workload, run, round, db.value());
  if (!command.ok()) return command.error();
  // Beside fio it would count that too.
  const std::optional<uint64_t> before =
      workload.beside_fio ? std::nullopt : device_writes_.ReadBytes();
  Result<ChildOutput> output = RunToEnd(command.value(), setup_.timeout);
  if (!output.ok()) return output.error();
  const Result<std::optional<uint64_t>> written = WrittenSince(before);
  if (!written.ok()) return written.error();
  return Finished{command.value(), std::move(output.value()), written.value()};
}

Result<std::optional<uint64_t>> PairRunner::WrittenSince(std::optional<uint64_t> before) const {
  if (!before.has_value()) return std::optional<uint64_t>();
  // What the run has left in the page cache is its own as well.
  if (Failure failure = directory_.SettleFileSystem()) return *failure;
  const std::optional<uint64_t> now = device_writes_.ReadBytes();
  if (!now.has_value() || *now < *before) return std::optional<uint64_t>();
  return std::optional<uint64_t>(*now - *before);
}

Result<ArmReading> PairRunner::ReadRun(const Workload& workload, const Finished& run) {
  Result<ArmReading> reading = ReadArmOutput(workload, run.output.standard_output);
  if (!reading.ok()) return Error{reading.error().message + "\n" + ToShellLine(run.command)};
  AddUsage(run.command, workload, run.output.usage, &reading.value());
  if (run.device_written_bytes.has_value()) {
    AddDeviceWrites(run.command, workload, *run.device_written_bytes, &reading.value());
  }
  AddOverTime(workload, run.output.standard_output, run.output.standard_error, &reading.value());
  return reading;
}

Result<Command> PairRunner::CommandOf(const Workload& workload, const ArmRun& run, int round,
                                      const std::string& db) {
  const Setup& setup = run.further == nullptr ? setup_ : run.further->setup;
  Command command = MeasuredCommand(setup, workload, run.arm, round, db);
  if (run.further == nullptr || run.further->arm.kind != FurtherArm::Kind::kRecycledLogs) {
    return command;
  }
  return run.further->recycled.With(command, workload.name, setup_.timeout);
}

// What a run changes, all arms of a RocksDB find alike; what it only reads, its own side has
// written.
PreparedDatabases& PairRunner::PreparedFor(const Preparation& preparation, const ArmRun& run) {
  if (run.further == nullptr) return prepared_;
  const FurtherArm::Kind kind = run.further->arm.kind;
  const bool second =
      kind == FurtherArm::Kind::kSecondStock || kind == FurtherArm::Kind::kSecondPlugin;
  return second || preparation.use == Preparation::Use::kOwnFiles ? run.further->prepared
                                                                  : prepared_;
}

Result<std::string> PairRunner::MakeReady(const Workload& workload, const ArmRun& run) {
  constexpr char kName[] = "db";
  Result<std::string> db =
      workload.preparation.has_value()
          ? PreparedFor(*workload.preparation, run).ForRun(*workload.preparation, run.arm, kName)
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
