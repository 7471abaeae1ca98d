// The flash tier of an unchanged program: BLOOM_LFS_FLASH="path=…;size=…" puts it under the block
// caches that the program makes, for the loader.
//
// The loader looks the functions OnFlash up by their mangled names. Each gives what `real` makes of
// the options: on the tier, unless the options name a secondary cache or the variable is not set.
// If it is not understood, that is said once: a service with a typo in its environment must start.
//
// All caches share the tier, which ends with the last of them. Thread safety: from any thread.
#pragma once

#include <memory>
#include <string>

#include "plugin/rocksdb_versions.h"
#include "rocksdb/cache.h"

namespace bloom_lfs {

// The variable's text; empty if it is not set, or not understood, which is said once.
std::string FlashTextOfEnvironment();

#if BLOOM_LFS_HAS_FLASH_TIER

using LruCacheFunction = std::shared_ptr<rocksdb::Cache> (*)(const rocksdb::LRUCacheOptions&);
std::shared_ptr<rocksdb::Cache> OnFlash(const rocksdb::LRUCacheOptions& options,
                                        LruCacheFunction real);

#if BLOOM_LFS_HAS_CREATE_CONTEXT
using HyperClockCacheFunction =
    std::shared_ptr<rocksdb::Cache> (*)(const rocksdb::HyperClockCacheOptions&);
std::shared_ptr<rocksdb::Cache> OnFlash(const rocksdb::HyperClockCacheOptions& options,
                                        HyperClockCacheFunction real);
#else
// NewLRUCache with its arguments one by one.
std::shared_ptr<rocksdb::Cache> OnFlash(size_t capacity, int num_shard_bits,
                                        bool strict_capacity_limit, double high_pri_pool_ratio,
                                        std::shared_ptr<rocksdb::MemoryAllocator> allocator,
                                        bool use_adaptive_mutex,
                                        rocksdb::CacheMetadataChargePolicy charge_policy,
                                        double low_pri_pool_ratio, LruCacheFunction real);
#endif

#endif  // BLOOM_LFS_HAS_FLASH_TIER

}  // namespace bloom_lfs
