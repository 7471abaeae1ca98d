// A block cache over a flash tier, for option strings, which can name a cache by its class but not
// the secondary cache below one:
//
//   block_cache={id=bloom_lfs_flash://;capacity=1G;path=/fast/tier;size=100G}
//
// The tier's options are those of bloom_lfs_flash (flash_options.h); besides them `capacity`, the
// bytes of blocks in memory, and `cache`, which is lru or hyper_clock.
//
// Thread safety: as rocksdb::Cache says.
#pragma once

#include "plugin/rocksdb_versions.h"

#if BLOOM_LFS_HAS_CREATE_CONTEXT

#include <memory>
#include <string>
#include <unordered_map>

#include "plugin/flash/flash_options.h"
#include "rocksdb/advanced_cache.h"

namespace bloom_lfs {

struct BlockCacheOptions {
  static const char* kName() { return "BloomLfsBlockCacheOptions"; }

  uint64_t capacity = 32ULL << 20;  // RocksDB's own default
  std::string cache = "lru";
};

class FlashBlockCache final : public rocksdb::CacheWrapper {
 public:
  static const char* kClassName() { return "bloom_lfs_flash"; }

  // Without a tier until it is configured.
  FlashBlockCache();

  const char* Name() const override { return kClassName(); }
  std::string GetPrintableOptions() const override { return target_->GetPrintableOptions(); }

 protected:
  // Ends with the cache made: not every way of reading options prepares what it reads.
  rocksdb::Status ConfigureOptions(const rocksdb::ConfigOptions& config,
                                   const std::unordered_map<std::string, std::string>& options,
                                   std::unordered_map<std::string, std::string>* unused) override;

 private:
  BlockCacheOptions options_;
  FlashOptions flash_;
};

}  // namespace bloom_lfs

#endif  // BLOOM_LFS_HAS_CREATE_CONTEXT
