// The rows of the set `logs`: more threads, other sizes of values and batches than the default set.

#include "db_bench_ext/workload_set.h"

namespace bloom_lfs::bench {
namespace {

Workload Fillrandom(const std::string& name, const std::string& title,
                    const std::vector<std::string>& arguments, double floor, double aim) {
  Workload workload;
  workload.name = name;
  workload.title = title;
  workload.benchmark = "fillrandom";
  workload.arguments = arguments;
  workload.goals.floor_ratio = floor;
  workload.goals.aim_ratio = aim;
  return workload;
}

Workload Synced(const std::string& name, const std::string& title,
                const std::vector<std::string>& arguments, double floor, double aim) {
  Workload workload = Fillrandom(name, title, arguments, floor, aim);
  workload.arguments.insert(workload.arguments.end(),
                            {"--sync", "--ops_between_duration_checks=100"});
  workload.duration_s = 2;
  return workload;
}

// Into one memtable: the log alone decides.
Workload Unsynced(const std::string& name, const std::string& title, int value_bytes,
                  int64_t operations, double floor, double aim) {
  Workload workload =
      Fillrandom(name, title,
                 {"--value_size=" + std::to_string(value_bytes), "--write_buffer_size=1073741824"},
                 floor, aim);
  workload.operations = operations;
  return workload;
}

Workload FourUnsyncedWriters() {
  Workload workload =
      Fillrandom("fillrandom-4-threads", "fillrandom, 100 B, 4 threads", {"--threads=4"}, 1, 1.2);
  workload.operations = 100000;  // each
  return workload;
}

}  // namespace

std::vector<Workload> LogRows() {
  return {
      Synced("sync-32-threads", "fillrandom sync, 32 threads", {"--threads=32"}, 1.15, 1.4),
      Synced("sync-4k", "fillrandom sync, 4 KiB values", {"--value_size=4096"}, 1.55, 1.8),
      Synced("sync-batches", "fillrandom sync, batches of 100", {"--batch_size=100"}, 1.15, 1.4),
      Unsynced("fillrandom-1k", "fillrandom, 1 KiB, 1 GB memtable", 1024, 250000, 1.3, 1.5),
      Unsynced("fillrandom-64k", "fillrandom, 64 KiB, 1 GB memtable", 65536, 8000, 1.1, 1.3),
      FourUnsyncedWriters()};
}

}  // namespace bloom_lfs::bench
