#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "db_bench_ext/arm_command.h"
#include "db_bench_ext/arm_output.h"
#include "db_bench_ext/device_limit.h"
#include "db_bench_ext/device_writes.h"
#include "db_bench_ext/prepared_databases.h"
#include "db_bench_ext/recycled_logs.h"
#include "db_bench_ext/result.h"
#include "db_bench_ext/work_directory.h"
#include "db_bench_ext/workload.h"

namespace bloom_lfs::bench {

// What an arm beyond the usual ones said.
struct FurtherReading {
  std::string arm;
  ArmReading reading;
};

// One pair of runs and what was measured between them.
struct PairSample {
  ArmReading stock;
  ArmReading plugin;
  std::optional<ArmReading> stock_without_wal;
  std::optional<DurableOverwrites> durable_overwrites;
  std::optional<double> sequential_mib_per_s;
  std::vector<FurtherReading> further;  // in the order of --arms
};

// An arm that a row does not have, and why.
struct AbsentArm {
  std::string arm;
  std::string reason;
};

// All pairs of one workload, or why it was given up.
struct Comparison {
  Workload workload;
  std::vector<PairSample> pairs;
  Failure failure;
  std::optional<std::string> skipped;  // why this machine cannot measure it
  std::vector<AbsentArm> absent = {};
};

// Called after every run with a few words about it.
using ProgressFunction = std::function<void(const std::string&)>;

// Runs single pairs: every arm once, each in a fresh directory or on its prepared database, on a
// settled file system, with the same seed, in an order that rotates from round to round; the device
// is measured between the first arm and the second, next to both.
class PairRunner {
 public:
  // All three must outlive the runner.
  PairRunner(const Setup* setup, const WorkDirectory* directory, const DeviceLimit* device);

  Result<PairSample> Run(const Workload& workload, int round, const ProgressFunction& progress);

 private:
  // An arm of --arms, and what it needs.
  struct Further {
    Further(const Setup& stock, size_t number, const WorkDirectory* directory)
        : arm(stock.further_arms[number]),
          setup(SetupFor(stock, arm)),
          prepared(&setup, directory, "arm" + std::to_string(number) + "-"),
          recycled(directory) {}
    FurtherArm arm;
    Setup setup;
    PreparedDatabases prepared;
    RecycledLogs recycled;
  };

  // A run of a pair.
  struct ArmRun {
    Arm arm = Arm::kStock;
    Further* further = nullptr;  // null: one of the usual arms
    std::string Name() const { return further == nullptr ? NameOf(arm) : further->arm.name; }
  };

  struct Finished {
    Command command;
    ChildOutput output;
    std::optional<uint64_t> device_written_bytes;
  };

  // The runs of a pair, in the order of their round.
  std::vector<ArmRun> RunsInOrder(const Workload& workload, int round);
  static Result<ArmReading> ReadRun(const Workload& workload, const Finished& run);
  static void Store(const ArmRun& run, const ArmReading& reading, PairSample* sample);
  Result<ArmReading> RunArm(const Workload& workload, const ArmRun& run, int round);
  Result<Finished> RunChild(const Workload& workload, const ArmRun& run, int round);
  // The same for a row of a command line, whose rows share their runs.
  Result<PairSample> RunOwn(const Workload& workload, int round, const ProgressFunction& progress);
  Failure RunOwnCommand(const Workload& workload, int round, const ProgressFunction& progress);
  Result<Command> CommandOf(const Workload& workload, const ArmRun& run, int round,
                            const std::string& db);
  // What the device was given since it had been given `before`.
  Result<std::optional<uint64_t>> WrittenSince(std::optional<uint64_t> before) const;
  // Where the run finds its database, in the state it is to be measured in.
  Result<std::string> MakeReady(const Workload& workload, const ArmRun& run);
  PreparedDatabases& PreparedFor(const Preparation& preparation, const ArmRun& run);
  Failure MeasureBound(const Workload& workload, PairSample* sample,
                       const ProgressFunction& progress) const;

  const Setup& setup_;
  const WorkDirectory& directory_;
  const DeviceLimit& device_;
  const DeviceWrites device_writes_;
  PreparedDatabases prepared_;
  std::deque<Further> further_;  // stays where it is: its parts point at each other
  // The latest runs of a command line, by the name of the arm.
  std::map<std::string, Finished> own_runs_;
  int own_round_ = -1;
  Failure own_failure_;
};

// The arms of `setup` that a row does not have.
std::vector<AbsentArm> AbsentArms(const Setup& setup, const Workload& workload);

}  // namespace bloom_lfs::bench
