// The rows of the set `second`: what a second place of the log is worth, mode by mode, and what it
// costs those who have none.

#include <string>
#include <vector>

#include "db_bench_ext/workload_set.h"

namespace bloom_lfs::bench {
namespace {

using Beside = SecondPlace::Beside;
using Where = SecondPlace::Where;

Workload SecondRow(const std::string& name, const std::string& title, const std::string& benchmark,
                   const SecondPlace& second) {
  Workload workload;
  workload.name = name;
  workload.title = title;
  workload.benchmark = benchmark;
  workload.second = second;
  return workload;
}

Workload WithGoals(Workload workload, double floor, double aim) {
  workload.goals.floor_ratio = floor;
  workload.goals.aim_ratio = aim;
  return workload;
}

Workload SyncedRow(const std::string& name, const std::string& title, int duration_s,
                   const SecondPlace& second) {
  Workload workload = SecondRow(name, title, "fillsync", second);
  workload.arguments = {"--ops_between_duration_checks=100"};
  workload.duration_s = duration_s;
  return workload;
}

SecondPlace Off() {
  SecondPlace second;
  second.beside = Beside::kWithout;
  return second;
}

Workload OffFillseq() {
  Workload workload = SecondRow("off-fillseq", "off, fillseq, beside none built", "fillseq", Off());
  workload.operations = 600000;
  return workload;
}

// In both rows the same is done; they take different figures from it.
Workload Failover(const std::string& name, const std::string& title, Beside beside) {
  SecondPlace second;
  second.mode = "failover";
  second.where = Where::kWorkDirectory;
  second.beside = beside;
  second.db_on_loop_disk = true;
  second.frozen = true;
  Workload workload = SyncedRow(name, title, 10, second);
  workload.arguments.emplace_back("--histogram");
  return workload;
}

Workload LongestSync() {
  // failover_after_ms
  constexpr double kPatienceUs = 100000;
  Workload workload =
      Failover("failover-longest-sync", "failover, frozen 10 s, longest sync", Beside::kStock);
  workload.metric = Metric::kLongestUs;
  workload.goals.floor_value = kPatienceUs + 100000;
  workload.goals.aim_value = kPatienceUs + 20000;
  return workload;
}

Workload SyncsWhileFrozen() {
  Workload workload =
      Failover("failover-syncs", "failover, frozen 10 s, beside the side disk", Beside::kSideDisk);
  workload.bound_s = 2;
  return WithGoals(workload, 0.6, 0.85);
}

Workload Hedge() {
  SecondPlace second;
  second.mode = "hedge";
  second.where = Where::kLoopDisk;
  second.db_on_loop_disk = true;
  Workload workload =
      SyncedRow("hedge-beside-fio", "hedge, fillsync p99.9, fio on one of two disks", 4, second);
  workload.arguments.emplace_back("--histogram");
  workload.metric = Metric::kP999Us;
  workload.beside_fio = true;
  return WithGoals(workload, 0.5, 0.2);
}

// Longer than the synced rows of other sets: what the files have yet to get when the time is over,
// a second's worth, costs nothing here.
constexpr int kGroupSeconds = 5;

SecondPlace Group(Beside beside) {
  SecondPlace second;
  second.mode = "group";
  second.where = Where::kWorkDirectory;
  second.beside = beside;
  return second;
}

Workload GroupOver8Dbs(int threads) {
  const std::string count = std::to_string(threads);
  Workload workload = SecondRow("group-" + count + "-threads-8-dbs",
                                "group, sync, " + count + " threads over 8 DBs", "fillrandom",
                                Group(Beside::kStock));
  workload.arguments = {"--sync", "--threads=" + count, "--num_multi_db=8",
                        "--ops_between_duration_checks=20"};
  workload.duration_s = kGroupSeconds;
  return workload;
}

Workload Mirror(const std::string& name, const std::string& title, Where where) {
  SecondPlace second;
  second.mode = "mirror";
  second.where = where;
  second.beside = Beside::kOff;
  return SyncedRow(name, title, 2, second);
}

}  // namespace

std::vector<Workload> SecondRows() {
  return {
      WithGoals(SyncedRow("off-fillsync", "off, fillsync, beside none built", 2, Off()), 0.98, 1),
      WithGoals(OffFillseq(), 0.98, 1),
      LongestSync(),
      SyncsWhileFrozen(),
      Hedge(),
      WithGoals(GroupOver8Dbs(32), 1.7, 2.2),
      WithGoals(GroupOver8Dbs(8), 1.4, 1.8),
      WithGoals(SyncedRow("group-fillsync", "group, fillsync, beside off", kGroupSeconds,
                          Group(Beside::kOff)),
                1, 1),
      WithGoals(Mirror("mirror-nbd", "mirror to nbdkit, fillsync, beside off", Where::kNbd), 0.6,
                0.8),
      Mirror("mirror-directory", "mirror on the same disk, fillsync, beside off",
             Where::kWorkDirectory)};
}

}  // namespace bloom_lfs::bench
