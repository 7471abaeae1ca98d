#include "db_bench_ext/comparison.h"

#include <algorithm>
#include <utility>

#include "db_bench_ext/background_load.h"
#include "db_bench_ext/db_bench_output.h"
#include "db_bench_ext/format.h"

namespace bloom_lfs::bench {
namespace {

void Append(std::vector<std::string>* to, const std::vector<std::string>& from) {
  to->insert(to->end(), from.begin(), from.end());
}

std::vector<Arm> ArmsInOrder(const Workload& workload, int round) {
  std::vector<Arm> arms = {Arm::kStock, Arm::kPlugin};
  if (workload.bound == Bound::kStockWithoutWal) arms.push_back(Arm::kStockWithoutWal);
  const auto first = static_cast<size_t>(round) % arms.size();
  std::rotate(arms.begin(), arms.begin() + static_cast<ptrdiff_t>(first), arms.end());
  return arms;
}

Result<ArmReading> ReadOutput(const Workload& workload, const std::string& output) {
  if (workload.program == Program::kOpenPutClose) {
    const Result<double> elapsed_s = ParseOpenPutCloseOutput(output);
    if (!elapsed_s.ok()) return elapsed_s.error();
    return ArmReading{elapsed_s.value(), std::nullopt};
  }
  const Result<DbBenchResult> result = ParseDbBenchOutput(output, workload.benchmark);
  if (!result.ok()) return result.error();
  if (workload.metric != Metric::kP999Us) {
    return ArmReading{result.value().ops_per_s, result.value().mib_per_s};
  }
  if (!result.value().p999_us.has_value()) {
    return Error{"db_bench --histogram printed no percentiles for " + workload.benchmark +
                 "; this program knows the output of RocksDB 7.8"};
  }
  return ArmReading{*result.value().p999_us, result.value().mib_per_s};
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

const char* NameOf(Arm arm) {
  switch (arm) {
    case Arm::kStock:
      return "stock";
    case Arm::kPlugin:
      return "plugin";
    case Arm::kStockWithoutWal:
      return "stock, no WAL";
  }
  return "?";
}

PairRunner::PairRunner(const Setup* setup, const WorkDirectory* directory,
                       const DeviceLimit* device)
    : setup_(*setup), directory_(*directory), device_(*device) {}

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
  const Result<std::string> db = directory_.FreshSubdirectory("db");
  if (!db.ok()) return db.error();
  // Beside fio there is nothing to settle: it keeps the file system dirty on purpose.
  if (!workload.beside_fio) {
    if (Failure failure = directory_.SettleFileSystem()) return *failure;
  }
  const Command command = CommandFor(workload, arm, round, db.value());
  const Result<ChildOutput> output = RunToEnd(command, setup_.timeout);
  if (!output.ok()) return output.error();
  Result<ArmReading> reading = ReadOutput(workload, output.value().standard_output);
  if (!reading.ok()) return Error{reading.error().message + "\n" + ToShellLine(command)};
  return reading;
}

Command PairRunner::CommandFor(const Workload& workload, Arm arm, int round,
                               const std::string& db) const {
  Command command;
  std::vector<std::string>& argv = command.argv;
  if (workload.program == Program::kOpenPutClose) {
    argv = {setup_.open_put_close, "--db=" + db};
    Append(&argv, AmountArguments(workload, setup_.scale));
  } else {
    argv = {setup_.db_bench, "--benchmarks=" + workload.benchmark, "--db=" + db,
            "--compression_type=none", "--seed=" + std::to_string(setup_.seed + round)};
    Append(&argv, workload.arguments);
    Append(&argv, AmountArguments(workload, setup_.scale));
    Append(&argv, setup_.extra_arguments);
    Append(&argv, arm == Arm::kPlugin ? setup_.plugin_arguments : setup_.stock_arguments);
    if (arm == Arm::kStockWithoutWal) argv.emplace_back("--disable_wal");
  }
  if (arm == Arm::kPlugin && !setup_.plugin_uri.empty()) {
    command.preload = setup_.plugin;
    argv.push_back("--fs_uri=" + setup_.plugin_uri);
  }
  return command;
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
