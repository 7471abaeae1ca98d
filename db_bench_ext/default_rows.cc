// The rows of the default set: what a write-ahead log does for the writers of one database.

#include "db_bench_ext/workload_set.h"

namespace bloom_lfs::bench {
namespace {

Workload Fillsync() {
  Workload workload;
  workload.name = "fillsync";
  workload.title = "fillsync, 100 B";
  workload.benchmark = "fillsync";
  workload.arguments = {"--histogram", "--ops_between_duration_checks=100"};
  workload.bound = Bound::kDurableOverwrites;
  workload.goals.floor_ratio = 1.4;
  workload.goals.floor_share = 0.85;
  workload.goals.aim_share = 0.95;
  workload.duration_s = 2;
  workload.bound_s = 0.8;
  return workload;
}

Workload FillrandomSync8Threads() {
  Workload workload;
  workload.name = "fillrandom-sync-8-threads";
  workload.title = "fillrandom sync, 8 threads";
  workload.benchmark = "fillrandom";
  workload.arguments = {"--sync", "--threads=8", "--histogram",
                        "--ops_between_duration_checks=100"};
  workload.goals.floor_ratio = 1.25;
  workload.goals.aim_ratio = 1.5;
  workload.duration_s = 2;
  return workload;
}

Workload FillrandomSync64k() {
  Workload workload;
  workload.name = "fillrandom-sync-64k";
  workload.title = "fillrandom sync, 64 KiB values";
  workload.benchmark = "fillrandom";
  workload.arguments = {"--sync", "--value_size=65536", "--histogram",
                        "--ops_between_duration_checks=20"};
  workload.bound = Bound::kSequentialWrite;
  workload.goals.floor_ratio = 1.15;
  workload.goals.aim_ratio = 1.4;
  workload.duration_s = 2;
  workload.bound_s = 0.3;
  return workload;
}

Workload Fillseq() {
  Workload workload;
  workload.name = "fillseq";
  workload.title = "fillseq, 100 B, no sync";
  workload.benchmark = "fillseq";
  workload.bound = Bound::kStockWithoutWal;
  workload.goals.floor_ratio = 1.4;
  workload.goals.aim_share = 0.9;
  workload.operations = 600000;
  return workload;
}

Workload Fillrandom4k() {
  Workload workload;
  workload.name = "fillrandom-4k";
  workload.title = "fillrandom, 4 KiB, 1 GB memtable";
  workload.benchmark = "fillrandom";
  workload.arguments = {"--value_size=4096", "--write_buffer_size=1073741824"};
  workload.bound = Bound::kSequentialWrite;
  workload.goals.floor_ratio = 1.3;
  workload.goals.aim_ratio = 1.8;
  workload.operations = 80000;
  workload.bound_s = 0.3;
  return workload;
}

Workload Fillrandom() {
  Workload workload;
  workload.name = "fillrandom";
  workload.title = "fillrandom, 100 B, no sync";
  workload.benchmark = "fillrandom";
  workload.goals.floor_ratio = 1.0;
  workload.goals.aim_ratio = 1.3;
  workload.operations = 300000;
  return workload;
}

Workload FillsyncBesideFio() {
  Workload workload;
  workload.name = "fillsync-beside-fio";
  workload.title = "fillsync p99.9 beside fio";
  workload.benchmark = "fillsync";
  workload.arguments = {"--histogram", "--ops_between_duration_checks=100"};
  workload.metric = Metric::kP999Us;
  workload.bound = Bound::kDurableOverwriteP999;
  workload.goals.floor_ratio = 0.5;
  workload.goals.aim_ratio = 0.2;
  workload.duration_s = 4;
  workload.bound_s = 2;
  workload.beside_fio = true;
  return workload;
}

Workload OpenPutClose() {
  Workload workload;
  workload.name = "open-put-close";
  workload.title = "open, one put, close, 200 times";
  workload.program = Program::kOpenPutClose;
  workload.metric = Metric::kElapsedS;
  workload.goals.floor_ratio = 1.15;
  workload.operations = 200;
  return workload;
}

}  // namespace

std::vector<Workload> DefaultRows() {
  return {Fillsync(),   FillrandomSync8Threads(), FillrandomSync64k(), Fillseq(), Fillrandom4k(),
          Fillrandom(), FillsyncBesideFio(),      OpenPutClose()};
}

}  // namespace bloom_lfs::bench
