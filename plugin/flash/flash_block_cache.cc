#include "plugin/flash/flash_block_cache.h"

#if BLOOM_LFS_HAS_CREATE_CONTEXT

#include "plugin/flash/flash_cache.h"
#include "plugin/option_table.h"

namespace bloom_lfs {
namespace {

using Table = OptionTable<BlockCacheOptions>;

const Table& AllOptions() {
  constexpr Range kCapacity = {0, UINT64_MAX, 1, "bytes"};
  // Never destroyed: RocksDB keeps caches alive past our static destructors.
  static const auto* const options =
      new Table("bloom_lfs_flash", {{"capacity", &BlockCacheOptions::capacity, kCapacity},
                                    {"cache", &BlockCacheOptions::cache, {"lru", "hyper_clock"}}});
  return *options;
}

const std::unordered_map<std::string, rocksdb::OptionTypeInfo>& BlockCacheOptionTypes() {
  static const auto* const types =
      new std::unordered_map<std::string, rocksdb::OptionTypeInfo>(AllOptions().TypeInfos());
  return *types;
}

std::shared_ptr<rocksdb::Cache> MakeCache(const BlockCacheOptions& options,
                                          const std::shared_ptr<rocksdb::SecondaryCache>& tier) {
  if (options.cache == "lru") {
    rocksdb::LRUCacheOptions lru;
    lru.capacity = options.capacity;
    lru.secondary_cache = tier;
    return lru.MakeSharedCache();
  }
  constexpr size_t kEstimatesItself = 0;
  rocksdb::HyperClockCacheOptions hyper_clock(options.capacity, kEstimatesItself);
  hyper_clock.secondary_cache = tier;
  return hyper_clock.MakeSharedCache();
}

}  // namespace

FlashBlockCache::FlashBlockCache() : CacheWrapper(MakeCache({}, nullptr)) {
  RegisterOptions(&options_, &BlockCacheOptionTypes());
  RegisterOptions(&flash_, &FlashOptionTypes());
}

rocksdb::Status FlashBlockCache::ConfigureOptions(
    const rocksdb::ConfigOptions& config,
    const std::unordered_map<std::string, std::string>& options,
    std::unordered_map<std::string, std::string>* unused) {
  rocksdb::Status status = CacheWrapper::ConfigureOptions(config, options, unused);
  if (status.ok()) {
    status = AllOptions().Check(options_);
  }
  if (status.ok()) {
    status = flash_.Validate();
  }
  if (status.ok()) {
    target_ = MakeCache(options_, std::make_shared<FlashCache>(flash_));
  }
  return status;
}

}  // namespace bloom_lfs

#endif  // BLOOM_LFS_HAS_CREATE_CONTEXT
