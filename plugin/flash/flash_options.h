// Options of the flash tier: names, defaults, ranges. plugin/flash/README.md says what each is for.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "rocksdb/status.h"
#include "rocksdb/utilities/options_type.h"

namespace lss {
struct PageStoreOptions;
}

namespace bloom_lfs {

struct FlashOptions {
  static const char* kName() { return "BloomLfsFlashOptions"; }

  std::string path;                // directory on a fast local disk, or an nbd:// address
  uint64_t size = 0;               // bytes of it
  uint64_t memory = 64ULL << 20;   // bytes of pages on their way there
  std::string policy = "s3_fifo";  // which of them get there: s3_fifo, lru
  std::string admit = "auto";      // auto, all, reused
  uint64_t write_rate = 0;         // most bytes a second, once the tier is full; 0: no limit
  uint64_t checkpoint_bytes = 4ULL << 30;  // written out what is where after so many bytes
  uint64_t page_bytes = 4096;              // how large blocks are on average
  bool io_uring = true;                    // reads of one MultiGet together, writes without waiting
  bool background_threads_miss = true;     // RocksDB's own threads (compaction) get nothing

  lss::PageStoreOptions ForStore() const;
  // InvalidArgument that names the option and what is allowed.
  rocksdb::Status Validate() const;
  // "path=…;size=100G", as behind --secondary_cache_uri="id=bloom_lfs_flash;".
  rocksdb::Status ParseAndValidate(const std::string& text);
};

const std::unordered_map<std::string, rocksdb::OptionTypeInfo>& FlashOptionTypes();

}  // namespace bloom_lfs
