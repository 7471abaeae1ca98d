// The plugin's options: names, defaults, ranges. plugin/README.md says what each is for.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "rocksdb/status.h"
#include "rocksdb/utilities/options_type.h"

namespace lss {
struct StoreOptions;
}

namespace bloom_lfs {

struct PluginOptions {
  static const char* kName() { return "BloomLfsOptions"; }

  uint64_t buffer_bytes = 256 << 10;      // size of one ring buffer of a WAL
  uint64_t buffer_count = 8;              // ring buffers of a WAL
  uint64_t frontier_bytes = 16ULL << 20;  // most zeroed space ahead of a synced WAL's tail
  uint64_t idle_flush_ms = 500;           // an idle tail is written to the file after this long
  bool io_uring = true;                   // sealed buffers through io_uring
  bool direct_io = true;                  // O_DIRECT

  bool blob_files = true;                  // carry blob files too
  uint64_t blob_buffer_bytes = 256 << 10;  // size of one ring buffer of a blob file
  uint64_t blob_buffer_count = 8;          // ring buffers of a blob file
  uint64_t blob_direct_bytes = 32 << 10;   // O_DIRECT where blobs are at least so large
  uint64_t ring_budget_bytes = 512 << 20;  // most bytes of all rings of the process; 0: no limit
  // Options of a flash tier (flash_options.h) for direct reads of blob files; empty: none.
  std::string blob_flash;

  // The second place of logs: a directory, on another disk but for `group`.
  std::string second_place;
  std::string second_mode = "off";          // off, failover, hedge, group, mirror
  uint64_t second_bytes = 1ULL << 30;       // of the side log there
  uint64_t second_catch_up_ms = 1000;       // how long files stay behind the side log
  std::string mirror_degraded = "wait";     // wait, continue: when the mirror does not answer
  uint64_t failover_after_ms = 100;         // how long a sync waits before it goes without one
  uint64_t failback_below_ms = 25;          // syncs of the file as quick as that
  uint64_t failback_after_s = 15;           // for so long, and the file is waited for again
  std::string ring_directory = "/dev/shm";  // where bytes wait for a file that may hang

  std::string stats_file;  // the process's figures, for Prometheus; %p: its number; empty: none
  uint64_t stats_interval_s = 15;  // how old they may be

  // Otherwise logs may do without it.
  bool needs_second_place() const { return second_mode == "mirror" && mirror_degraded == "wait"; }

  lss::StoreOptions ForWal() const;
  lss::StoreOptions ForBlob() const;
  // InvalidArgument that names the option and the allowed range.
  rocksdb::Status Validate() const;
  // "name=value;name=value", as behind --fs_uri="id=bloom_lfs;", without the help of RocksDB, whose
  // ConfigOptions needs an Env. The same messages as there.
  rocksdb::Status Parse(const std::string& text);

 private:
  // What does not depend on the kind of file.
  lss::StoreOptions Common() const;
};

const std::unordered_map<std::string, rocksdb::OptionTypeInfo>& PluginOptionTypes();

}  // namespace bloom_lfs
