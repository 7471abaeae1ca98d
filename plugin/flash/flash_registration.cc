#include "plugin/flash/flash_registration.h"

#include <memory>
#include <string>

#include "plugin/rocksdb_versions.h"

#if BLOOM_LFS_HAS_FLASH_TIER
#include "plugin/flash/flash_block_cache.h"
#include "plugin/flash/flash_cache.h"
#endif

namespace bloom_lfs {

#if BLOOM_LFS_HAS_FLASH_TIER

int RegisterFlashTier(rocksdb::ObjectLibrary* library) {
  library->AddFactory<rocksdb::SecondaryCache>(
      FlashCache::kClassName(),
      [](const std::string& /*uri*/, std::unique_ptr<rocksdb::SecondaryCache>* guard,
         std::string* /*error*/) {
        *guard = std::make_unique<FlashCache>();
        return guard->get();
      });
#if BLOOM_LFS_HAS_CREATE_CONTEXT
  // RocksDB takes a text for the name of a cache only with "://" in it.
  library->AddFactory<rocksdb::Cache>(
      rocksdb::ObjectLibrary::PatternEntry(FlashBlockCache::kClassName())
          .AddSeparator("://", /*at_least_one=*/false),
      [](const std::string& /*uri*/, std::unique_ptr<rocksdb::Cache>* guard,
         std::string* /*error*/) {
        *guard = std::make_unique<FlashBlockCache>();
        return guard->get();
      });
  return 2;
#else
  return 1;
#endif
}

#else

int RegisterFlashTier(rocksdb::ObjectLibrary* /*library*/) { return 0; }

#endif

}  // namespace bloom_lfs
