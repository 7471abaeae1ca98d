#include "plugin/flash/flash_by_environment.h"

#include <cstdlib>
#include <optional>
#include <utility>

#include "lss/base/mutex.h"
#include "lss/base/per_process.h"
#include "plugin/flash/flash_options.h"
#include "plugin/warning.h"

#if BLOOM_LFS_HAS_FLASH_TIER
#include "plugin/flash/flash_cache.h"
#endif

namespace bloom_lfs {

std::string FlashTextOfEnvironment() {
  const char* const text = std::getenv("BLOOM_LFS_FLASH");
  if (text == nullptr || *text == '\0') {
    return "";
  }
  FlashOptions options;
  const rocksdb::Status status = options.ParseAndValidate(text);
  if (!status.ok()) {
    WarnOnce("no flash tier: correct BLOOM_LFS_FLASH: " + status.ToString());
    return "";
  }
  return text;
}

#if BLOOM_LFS_HAS_FLASH_TIER

namespace {

// Nothing: there is to be no tier.
std::optional<FlashOptions> ReadOptions() {
  FlashOptions options;
  const std::string text = FlashTextOfEnvironment();
  return !text.empty() && options.ParseAndValidate(text).ok() ? std::make_optional(options)
                                                              : std::nullopt;
}

struct Shared {
  const std::optional<FlashOptions> options = ReadOptions();
  lss::Mutex mutex;
  std::weak_ptr<FlashCache> tier LSS_GUARDED_BY(mutex);
};

// Never destroyed: caches are made in destructors, too.
lss::PerProcess<Shared> g_shared;

// Null: there is to be none.
std::shared_ptr<FlashCache> SharedTier() {
  Shared* const shared = g_shared.Get();
  if (!shared->options.has_value()) {
    return nullptr;
  }
  const lss::MutexLock lock(&shared->mutex);
  std::shared_ptr<FlashCache> tier = shared->tier.lock();
  if (tier == nullptr) {
    tier = std::make_shared<FlashCache>(*shared->options);
    shared->tier = tier;
  }
  return tier;
}

template <typename Options, typename Function>
std::shared_ptr<rocksdb::Cache> MakeOnFlash(const Options& options, Function real) {
  if (options.secondary_cache != nullptr) {
    return real(options);
  }
  Options on_flash = options;
  on_flash.secondary_cache = SharedTier();
  return real(on_flash);
}

}  // namespace

std::shared_ptr<rocksdb::Cache> OnFlash(const rocksdb::LRUCacheOptions& options,
                                        LruCacheFunction real) {
  return MakeOnFlash(options, real);
}

#if BLOOM_LFS_HAS_CREATE_CONTEXT

std::shared_ptr<rocksdb::Cache> OnFlash(const rocksdb::HyperClockCacheOptions& options,
                                        HyperClockCacheFunction real) {
  return MakeOnFlash(options, real);
}

#else

std::shared_ptr<rocksdb::Cache> OnFlash(size_t capacity, int num_shard_bits,
                                        bool strict_capacity_limit, double high_pri_pool_ratio,
                                        std::shared_ptr<rocksdb::MemoryAllocator> allocator,
                                        bool use_adaptive_mutex,
                                        rocksdb::CacheMetadataChargePolicy charge_policy,
                                        double low_pri_pool_ratio, LruCacheFunction real) {
  return OnFlash(rocksdb::LRUCacheOptions(capacity, num_shard_bits, strict_capacity_limit,
                                          high_pri_pool_ratio, std::move(allocator),
                                          use_adaptive_mutex, charge_policy, low_pri_pool_ratio),
                 real);
}

#endif

#endif  // BLOOM_LFS_HAS_FLASH_TIER

}  // namespace bloom_lfs
