#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "db_bench_ext/arms.h"
#include "db_bench_ext/child_process.h"
#include "db_bench_ext/workload.h"

namespace bloom_lfs::bench {

// How to run the arms.
struct Setup {
  std::string db_bench;
  std::string rocksdb_library;  // directory of the librocksdb.so they are for; empty: the system's
  std::string open_put_close;
  std::string open_replay;
  std::string page_store_benchmark;
  std::string fio;
  std::string nbdkit;
  std::string plugin;      // path of libbloom_lfs.so
  std::string plugin_uri;  // --fs_uri of the plugin arm; empty makes both arms stock (self-check)
  // A libbloom_lfs.so that was built before there was a second place; empty: none at hand.
  std::string plugin_without_second;
  // A libbloom_lfs.so that counts nothing; empty: none at hand.
  std::string plugin_without_figures;
  // Preloads the library into the stock arms too, whose files stay stock: all that changes there is
  // the code that computes CRC-32C.
  bool fast_stock_checksum = false;
  std::vector<std::string> extra_arguments;  // for db_bench in every arm
  std::vector<std::string> stock_arguments;
  std::vector<std::string> plugin_arguments;
  std::vector<std::string> fio_arguments;
  std::vector<FurtherArm> further_arms;
  // Another RocksDB, and the plugin that was built for it; empty: none at hand.
  std::string second_db_bench;
  std::string second_rocksdb_library;
  std::string second_plugin;
  std::string second_program;  // what that db_bench calls itself
  double scale = 1;
  int64_t seed = 1;
  std::chrono::seconds timeout{120};
};

enum class Arm { kStock, kPlugin, kStockWithoutWal };

const char* NameOf(Arm arm);

// The measured run of `arm` on the database in `db`.
Command MeasuredCommand(const Setup& setup, const Workload& workload, Arm arm, int round,
                        const std::string& db);

// `setup` for the runs of a further arm, which then are those of ArmFor(arm).
Setup SetupFor(const Setup& setup, const FurtherArm& arm);
Arm ArmFor(const FurtherArm& arm);

// A run of `benchmarks` with the workload's arguments and, unless `tier` is empty, on a flash tier
// of these options. The log is stock's but where the tier is under blob files.
Command FlashCommand(const Setup& setup, const Workload& workload, const std::string& benchmarks,
                     int round, const std::string& db, const std::string& tier);

// `uri` ("bloom_lfs", or with options) with further options; empty stays empty.
std::string WithOptions(const std::string& uri, const std::string& options);

// A run of a workload that has a second place, which is at `place` in the plugin's arm. The other
// arm is stock, or what the workload says stands in its column.
Command SecondPlaceCommand(const Setup& setup, const Workload& workload, Arm arm, int round,
                           const std::string& db, const std::string& place);

// The run, not measured, that fills `db`.
Command FillCommand(const Setup& setup, const Preparation& preparation, Arm arm,
                    const std::string& db);

}  // namespace bloom_lfs::bench
