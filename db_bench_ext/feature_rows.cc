// The rows of the set `features`: blob files, several databases, readers beside a writer, opening.

#include "db_bench_ext/workload_set.h"

namespace bloom_lfs::bench {
namespace {

// Memtables of 64 MiB, two at most: a run fills about a dozen, so that its writer soon waits for
// the blob files of the one before.
const std::vector<std::string>& BlobArguments() {
  static const std::vector<std::string> arguments = {"--enable_blob_files", "--min_blob_size=1024",
                                                     "--write_buffer_size=67108864"};
  return arguments;
}

Workload FillrandomBlob(const std::string& name, const std::string& title, int value_bytes) {
  constexpr int64_t kBytes = int64_t{768} << 20;
  Workload workload;
  workload.name = name;
  workload.title = title;
  workload.benchmark = "fillrandom";
  workload.arguments = BlobArguments();
  workload.arguments.push_back("--value_size=" + std::to_string(value_bytes));
  workload.bound = Bound::kSequentialWrite;
  workload.operations = kBytes / value_bytes;
  workload.bound_s = 0.3;
  workload.afterwards = Afterwards::kChargedCompaction;
  return workload;
}

Workload FillrandomBlob64k() {
  Workload workload =
      FillrandomBlob("fillrandom-blob-64k", "fillrandom, 64 KiB, blob files", 65536);
  workload.goals.floor_ratio = 1.2;
  workload.goals.aim_ratio = 1.6;
  return workload;
}

Workload FillrandomBlob4k() {
  Workload workload = FillrandomBlob("fillrandom-blob-4k", "fillrandom, 4 KiB, blob files", 4096);
  workload.goals.floor_ratio = 1.1;
  workload.goals.aim_ratio = 1.4;
  return workload;
}

// Every key is there, and every value in a blob file.
Preparation BlobsOf4k() {
  Preparation preparation;
  preparation.name = "blobs-4k";
  preparation.use = Preparation::Use::kOwnFiles;
  preparation.benchmarks = "filluniquerandom,compact";
  preparation.arguments = BlobArguments();
  preparation.arguments.emplace_back("--value_size=4096");
  preparation.keys = 80000;
  return preparation;
}

Workload ReadrandomBlob(PageCache page_cache, int64_t reads) {
  const std::string state = page_cache == PageCache::kCold ? "cold" : "warm";
  Workload workload;
  workload.name = "readrandom-blob-" + state;
  workload.title = "readrandom, 4 KiB, blob files, " + state;
  workload.benchmark = "readrandom";
  workload.arguments = BlobArguments();
  workload.arguments.emplace_back("--value_size=4096");
  workload.goals.floor_ratio = 1.0;
  workload.goals.aim_ratio = 1.0;
  workload.operations = reads;
  workload.operations_flag = "reads";
  workload.preparation = BlobsOf4k();
  workload.page_cache = page_cache;
  return workload;
}

Workload SyncOver8Dbs(int threads) {
  const std::string count = std::to_string(threads);
  Workload workload;
  workload.name = "sync-" + count + "-threads-8-dbs";
  workload.title = "fillrandom sync, " + count + " threads over 8 DBs";
  workload.benchmark = "fillrandom";
  workload.arguments = {"--sync", "--threads=" + count, "--num_multi_db=8",
                        "--ops_between_duration_checks=20"};
  workload.goals.floor_ratio = 1.2;
  workload.goals.aim_ratio = 2.0;
  workload.duration_s = 2;
  return workload;
}

// On a database of 1,000,000 keys of 100 B, in one level.
Workload OnMillionKeys(const std::string& benchmark, const std::string& title) {
  Preparation preparation;
  preparation.name = "million-keys";
  preparation.use = Preparation::Use::kCopyOfStock;
  preparation.benchmarks = "fillseq,compact";
  preparation.keys = 1000000;

  Workload workload;
  workload.name = benchmark;
  workload.title = title;
  workload.benchmark = benchmark;
  workload.goals.floor_ratio = 1.0;
  workload.goals.aim_ratio = 1.1;
  workload.preparation = preparation;
  return workload;
}

Workload WhileWriting(const std::string& benchmark, const std::string& title) {
  Workload workload = OnMillionKeys(benchmark, title);
  // A writer without a log is as fast as one with any log can be: what is left for the readers?
  workload.bound = Bound::kStockWithoutWal;
  workload.duration_s = 4;
  workload.afterwards = Afterwards::kWriteCount;
  return workload;
}

// With as many writes on both sides: a free writer that is faster is more work for the readers.
Workload WhileWritingLimited(const std::string& benchmark, const std::string& title) {
  Workload workload = WhileWriting(benchmark, title + ", writer limited");
  workload.name += "-limited";
  workload.arguments.emplace_back("--benchmark_write_rate_limit=4000000");  // bytes per second
  return workload;
}

// The same with a free writer, shown beside it and held against nothing.
Workload WhileWritingFreely(const std::string& benchmark, const std::string& title) {
  Workload workload = WhileWriting(benchmark, title);
  workload.goals = {};
  return workload;
}

Workload Overwrite() {
  Workload workload = OnMillionKeys("overwrite", "overwrite, 100 B, no sync");
  workload.operations = 600000;
  workload.operations_flag = "writes";
  return workload;
}

Workload OpenReplay(PageCache page_cache) {
  Preparation preparation;
  preparation.name = "wal-512m";
  preparation.use = Preparation::Use::kOwnFiles;
  preparation.benchmarks = "fillrandom";
  // One memtable takes everything: db_bench closes the database, which flushes nothing.
  preparation.arguments = {"--value_size=4096", "--write_buffer_size=1073741824"};
  preparation.keys = (int64_t{512} << 20) / 4096;

  const std::string state = page_cache == PageCache::kCold ? "cold" : "warm";
  Workload workload;
  workload.name = "open-replay-" + state;
  workload.title = "open, 512 MiB of WAL, " + state;
  workload.program = Program::kOpenReplay;
  workload.metric = Metric::kElapsedS;
  workload.goals.floor_ratio = 1.0;
  workload.goals.aim_ratio = 1.0;
  workload.preparation = preparation;
  workload.page_cache = page_cache;
  return workload;
}

}  // namespace

std::vector<Workload> FeatureRows() {
  return {FillrandomBlob64k(),
          FillrandomBlob4k(),
          ReadrandomBlob(PageCache::kCold, 20000),
          ReadrandomBlob(PageCache::kWarm, 300000),
          SyncOver8Dbs(8),
          SyncOver8Dbs(32),
          WhileWritingLimited("readwhilewriting", "readwhilewriting, 100 B, no sync"),
          WhileWritingFreely("readwhilewriting", "readwhilewriting, 100 B, no sync"),
          Overwrite(),
          WhileWritingLimited("seekrandomwhilewriting", "seekrandomwhilewriting, 100 B, no sync"),
          WhileWritingFreely("seekrandomwhilewriting", "seekrandomwhilewriting, 100 B, no sync"),
          OpenReplay(PageCache::kCold),
          OpenReplay(PageCache::kWarm)};
}

}  // namespace bloom_lfs::bench
