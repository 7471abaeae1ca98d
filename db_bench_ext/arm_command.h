#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "db_bench_ext/child_process.h"
#include "db_bench_ext/workload.h"

namespace bloom_lfs::bench {

// How to run the two arms.
struct Setup {
  std::string db_bench;
  std::string rocksdb_library;  // directory of the librocksdb.so they are for; empty: the system's
  std::string open_put_close;
  std::string open_replay;
  std::string page_store_benchmark;
  std::string fio;
  std::string plugin;      // path of libbloom_lfs.so
  std::string plugin_uri;  // --fs_uri of the plugin arm; empty makes both arms stock (self-check)
  // Preloads the library into the stock arms too, whose files stay stock: all that changes there is
  // the code that computes CRC-32C.
  bool fast_stock_checksum = false;
  std::vector<std::string> extra_arguments;  // for db_bench in every arm
  std::vector<std::string> stock_arguments;
  std::vector<std::string> plugin_arguments;
  std::vector<std::string> fio_arguments;
  double scale = 1;
  int64_t seed = 1;
  std::chrono::seconds timeout{120};
};

enum class Arm { kStock, kPlugin, kStockWithoutWal };

const char* NameOf(Arm arm);

// The measured run of `arm` on the database in `db`.
Command MeasuredCommand(const Setup& setup, const Workload& workload, Arm arm, int round,
                        const std::string& db);

// A run of `benchmarks` with the workload's arguments and, unless `tier` is empty, on a flash tier
// of these options. The log is stock's but where the tier is under blob files.
Command FlashCommand(const Setup& setup, const Workload& workload, const std::string& benchmarks,
                     int round, const std::string& db, const std::string& tier);

// The run, not measured, that fills `db`.
Command FillCommand(const Setup& setup, const Preparation& preparation, Arm arm,
                    const std::string& db);

}  // namespace bloom_lfs::bench
