#include "plugin/flash/flash_block_cache.h"

#if BLOOM_LFS_HAS_CREATE_CONTEXT

#include "plugin/flash/flash_cache.h"
#include "plugin/option_text.h"

namespace bloom_lfs {
namespace {

using rocksdb::OptionTypeInfo;

const std::unordered_map<std::string, OptionTypeInfo>& BlockCacheOptionTypes() {
  // Never destroyed: RocksDB keeps caches alive past our static destructors.
  static const auto* const types = new std::unordered_map<std::string, OptionTypeInfo>{
      {"capacity",
       {offsetof(BlockCacheOptions, capacity), rocksdb::OptionType::kUInt64T,
        rocksdb::OptionVerificationType::kNormal, rocksdb::OptionTypeFlags::kNone}},
      {"cache",
       {offsetof(BlockCacheOptions, cache), rocksdb::OptionType::kString,
        rocksdb::OptionVerificationType::kNormal, rocksdb::OptionTypeFlags::kNone}}};
  return *types;
}

rocksdb::Status Check(const BlockCacheOptions& options) {
  return options.cache == "lru" || options.cache == "hyper_clock"
             ? rocksdb::Status::OK()
             : NotAllowed("cache", options.cache, "lru, hyper_clock");
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
    status = Check(options_);
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
