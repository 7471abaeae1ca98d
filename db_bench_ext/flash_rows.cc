// The rows of the set `flash`: what a flash tier is worth, over a disk made slow, and what it
// costs.

#include <string>
#include <vector>

#include "db_bench_ext/workload_set.h"

namespace bloom_lfs::bench {
namespace {

constexpr char kSmallCache[] = "--cache_size=16777216";
// Whether the time is over: 1,000 reads of a thread, db_bench's default, take seconds on a slow
// disk.
constexpr char kOftenChecked[] = "--ops_between_duration_checks=50";

// 264 MB in one level.
Preparation ManyKeys() {
  Preparation preparation;
  preparation.name = "flash";
  preparation.use = Preparation::Use::kOwnFiles;
  preparation.benchmarks = "fillseq,compact";
  preparation.keys = 2300000;
  return preparation;
}

Workload FlashRow(const std::string& name, const std::string& title, double floor, double aim) {
  Workload workload;
  workload.name = name;
  workload.title = title;
  workload.benchmark = "readrandom";
  workload.arguments = {"--threads=8", "--use_direct_reads", kSmallCache, kOftenChecked};
  workload.duration_s = 5;
  workload.preparation = ManyKeys();
  workload.goals.floor_ratio = floor;
  workload.goals.aim_ratio = aim;
  workload.flash.emplace();
  return workload;
}

Workload Warm() { return FlashRow("flash-warm", "readrandom, 8 threads, warm", 8, 14); }

Workload FirstSeconds(const std::string& name, const std::string& after, FlashTier::Start start) {
  Workload workload =
      FlashRow(name, "first 5 s after " + after + ", beside the next 5 s", 0.9, 0.98);
  workload.flash->start = start;
  workload.flash->beside = FlashTier::Beside::kLater;
  if (start == FlashTier::Start::kKilled) workload.flash->name = "killed";
  return workload;
}

Workload Filling() {
  Workload workload = FlashRow("flash-filling", "readrandom, 8 threads, first 25 s", 2.5, 4);
  workload.duration_s = 25;
  workload.flash->start = FlashTier::Start::kEmpty;
  workload.flash->name = "filling";
  return workload;
}

Workload TwiceTheTier() {
  Workload workload = FlashRow("flash-half", "readrandom, skewed, data twice the tier", 1.5, 2.5);
  workload.arguments.emplace_back("--read_random_exp_range=15");
  workload.flash->name = "half";
  workload.flash->bytes = uint64_t{132} << 20;
  workload.flash->warm_up = "readrandom";
  workload.flash->warm_up_s = 10;
  return workload;
}

Workload InBlockCache() {
  Workload workload = FlashRow("flash-cached", "readrandom, all in the block cache", 0.98, 1.0);
  workload.arguments = {"--threads=8", "--cache_size=1073741824", kOftenChecked};
  workload.flash->disk = FlashTier::Disk::kSame;
  workload.flash->start = FlashTier::Start::kEmpty;
  workload.flash->name = "cached";
  workload.flash->again = true;
  return workload;
}

Workload SameDisk() {
  Workload workload =
      FlashRow("flash-same-disk", "readrandom, database and tier on one disk", 0.9, 1.0);
  workload.flash->disk = FlashTier::Disk::kSame;
  workload.flash->name = "same-disk";
  return workload;
}

Workload Compaction() {
  Workload workload = FlashRow("flash-compaction", "overwrite, then compact", 0.95, 1.0);
  workload.benchmark = "overwrite";
  workload.arguments = {kSmallCache};
  workload.duration_s = 0;
  workload.operations = 600000;
  workload.operations_flag = "writes";
  workload.afterwards = Afterwards::kChargedCompaction;
  workload.preparation->name = "flash-copied";
  workload.preparation->use = Preparation::Use::kCopyOfStock;
  workload.preparation->keys = 1000000;
  workload.flash->disk = FlashTier::Disk::kSame;
  workload.flash->start = FlashTier::Start::kEmpty;
  workload.flash->name = "compaction";
  return workload;
}

Workload MultiGet() {
  Workload workload =
      FlashRow("flash-multiget", "MultiGet of 32, batched, beside single reads", 1.3, 2);
  workload.benchmark = "multireadrandom";
  workload.arguments = {"--threads=1",     "--use_direct_reads",  kSmallCache,
                        "--batch_size=32", "--multiread_batched", kOftenChecked};
  workload.flash->beside = FlashTier::Beside::kSingleReads;
  return workload;
}

Workload Blobs() {
  Workload workload = FlashRow("flash-blobs", "readrandom, 8 threads, blobs of 4 KiB, warm", 8, 14);
  const std::vector<std::string> blobs = {"--enable_blob_files", "--min_blob_size=1024",
                                          "--value_size=4096"};
  workload.arguments.insert(workload.arguments.end(), blobs.begin(), blobs.end());
  workload.preparation->name = "flash-blobs";
  workload.preparation->arguments = blobs;
  workload.preparation->keys = 66000;
  workload.flash->name = "blobs";
  workload.flash->blobs = true;
  return workload;
}

// Of the page store alone.
Workload StoreRow(const std::string& row, const std::string& title, Metric metric, double floor,
                  double aim) {
  Workload workload = FlashRow("flash-" + row, title, floor, aim);
  workload.program = Program::kPageStoreBenchmark;
  workload.benchmark = row;
  workload.metric = metric;
  workload.preparation.reset();
  workload.flash->disk = FlashTier::Disk::kSame;
  workload.flash->beside = FlashTier::Beside::kYardstick;
  return workload;
}

}  // namespace

std::vector<Workload> FlashRows() {
  return {Warm(),
          FirstSeconds("flash-restart", "a restart", FlashTier::Start::kWarm),
          FirstSeconds("flash-kill", "kill -9", FlashTier::Start::kKilled),
          Filling(),
          TwiceTheTier(),
          InBlockCache(),
          SameDisk(),
          Compaction(),
          MultiGet(),
          Blobs(),
          StoreRow("cleaning", "p99 of a hit while cleaning, beside without", Metric::kMicroseconds,
                   1.3, 1.1),
          StoreRow("insert", "processor time of a 4 KiB insert, beside 2 µs", Metric::kMicroseconds,
                   1.0, 0.5),
          StoreRow("insert-caller", "the same, of the thread that inserts", Metric::kMicroseconds,
                   1.0, 0.5),
          StoreRow("amplification", "written per byte admitted, beside 1", Metric::kBytesPerByte,
                   1.25, 1.05)};
}

}  // namespace bloom_lfs::bench
