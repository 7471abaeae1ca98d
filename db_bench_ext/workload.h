#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "db_bench_ext/result.h"

namespace bloom_lfs::bench {

// What one run of a workload yields, and whether more of it is better.
enum class Metric { kOpsPerS, kP999Us, kLongestUs, kElapsedS, kMicroseconds, kBytesPerByte };

bool LowerIsBetter(Metric metric);

enum class Program { kDbBench, kOpenPutClose, kOpenReplay, kPageStoreBenchmark };

// The yardstick of a workload, measured within each pair of runs.
enum class Bound {
  kNone,
  kDurableOverwrites,     // the device's durable 4 KiB overwrites, compared in operations
  kDurableOverwriteP999,  // the same writes' 99.9th percentile, beside the same background load
  kSequentialWrite,       // the device's sequential direct write, compared in bytes
  kStockWithoutWal,       // a third arm: stock with --disable_wal
};

// What db_bench does after the benchmark, in the same process.
enum class Afterwards {
  kNothing,
  // Flushes and compacts, and the time is charged to the benchmark: a side that puts writing off
  // gains nothing by it. `compact` because db_bench's own `flush` prints no time.
  kChargedCompaction,
  // Says how many writes were made: db_bench leaves a while-writing benchmark's writer out of its
  // result.
  kWriteCount,
};

// What the page cache holds of a database when the measured run starts.
enum class PageCache { kAsItIs, kCold, kWarm };

// A database that is filled by db_bench, unmeasured, before the first run that needs it.
struct Preparation {
  enum class Use {
    // For runs that change nothing: each side reads, in every pair, the files it wrote itself.
    kOwnFiles,
    // For runs that write: every run gets a fresh copy of what stock wrote.
    kCopyOfStock,
  };

  std::string name;  // workloads with the same name share the database
  Use use = Use::kOwnFiles;
  std::string benchmarks;
  std::vector<std::string> arguments;
  // Each is put once, or that many are put at random. A --scale below 1 shrinks the database too.
  int64_t keys = 0;
};

// The flash tier of a workload, which only the plugin's runs have, and what they are held against.
struct FlashTier {
  enum class Disk {
    kSlow,  // the database lies on a disk made slow, the tier on the one below it
    kSame,  // both on that one
  };
  enum class Start {
    kEmpty,   // made for the run
    kWarm,    // filled before, by other processes
    kKilled,  // filled by one process, which was killed
  };
  // What stands in the column "stock".
  enum class Beside {
    kStock,        // the same without a tier
    kLater,        // the same again, later in the same process
    kSingleReads,  // readrandom on the same tier
    kYardstick,    // what the program says itself
  };
  Disk disk = Disk::kSlow;
  Start start = Start::kWarm;
  Beside beside = Beside::kStock;
  // Under the plugin's blob files, and not under the block cache.
  bool blobs = false;
  // Runs the benchmark twice in a process, and takes the second for its result.
  bool again = false;
  std::string name = "large";  // workloads with the same name share the tier
  uint64_t bytes = uint64_t{512} << 20;
  // What fills a tier, on a disk that is not slow yet; with the arguments of the workload.
  std::string warm_up = "readseq,readrandom";
  int warm_up_s = 4;
};

// The second place of a workload's log, which only the plugin's runs have, and what they are held
// against.
struct SecondPlace {
  enum class Where {
    kNone,
    kWorkDirectory,
    kLoopDisk,  // of its own
    kNbd,       // behind an NBD server on this machine, its file in the work directory
  };
  // What stands in the column "stock".
  enum class Beside {
    kStock,
    kOff,       // the plugin without a second place
    kWithout,   // a plugin that was built before there was one
    kSideDisk,  // durable overwrites in the work directory, where the second place is
  };
  std::string mode = "off";  // second_mode
  Where where = Where::kNone;
  Beside beside = Beside::kStock;
  bool db_on_loop_disk = false;
  // The database's disk does not answer for duration_s, in the middle of a run that is longer.
  bool frozen = false;
};

// A db_bench command line of the user's own. It gives one row for each of its benchmarks; their
// figures are taken from the same runs.
struct OwnCommand {
  std::vector<std::string> arguments;  // each as "--name" or "--name=value"
  int run = 1;        // which of the benchmark's result lines is this row's, from 1 on
  bool alone = true;  // nothing else in these runs reads or writes, not even a repetition
};

// Floors and aims; none at all in a row that only shows a figure. A ratio is plugin / stock; a
// share says how much of its bound the plugin reaches; a value is the plugin's own, in the metric's
// unit.
struct Goals {
  std::optional<double> floor_ratio;
  std::optional<double> floor_share;
  std::optional<double> aim_ratio;
  std::optional<double> aim_share;
  std::optional<double> floor_value;
  std::optional<double> aim_value;
};

// One row of the table.
struct Workload {
  std::string name;   // for --workloads
  std::string title;  // for people
  Program program = Program::kDbBench;
  std::string benchmark;  // db_bench's name for it
  std::vector<std::string> arguments;
  Metric metric = Metric::kOpsPerS;
  Bound bound = Bound::kNone;
  Goals goals;
  // How much work a run does at --scale=1. Workloads bound by syncs run for a time, so that a slow
  // disk does not stretch them. The others do a fixed number of operations, so that both arms flush
  // and compact the same data. At most one of the two is set; none where a run is one step.
  int duration_s = 0;
  int64_t operations = 0;
  std::string operations_flag = "num";  // db_bench's name for the number of operations
  // How long the device is measured within a pair.
  double bound_s = 0;
  // Whether fio writes and syncs on the same file system during the whole pair.
  bool beside_fio = false;
  // Stock's runs are the plugin's of a build that counts nothing.
  bool beside_no_figures = false;
  Afterwards afterwards = Afterwards::kNothing;
  std::optional<Preparation> preparation;
  PageCache page_cache = PageCache::kAsItIs;
  // At most one of the three.
  std::optional<FlashTier> flash;
  std::optional<SecondPlace> second;
  std::optional<OwnCommand> own;
};

// Those of `workloads` whose name matches an item of the comma-separated list; an item is a name or
// a regular expression for a whole name. An empty list selects all.
Result<std::vector<Workload>> SelectWorkloads(const std::vector<Workload>& workloads,
                                              const std::string& list);

// What the program is told about the amount of work, scaled.
// REQUIRES: a preparation, for Program::kOpenReplay
std::vector<std::string> AmountArguments(const Workload& workload, double scale);

// The keys of a prepared database. A longer run does not make it larger.
int64_t PreparedKeys(const Preparation& preparation, double scale);

}  // namespace bloom_lfs::bench
