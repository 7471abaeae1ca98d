#include "plugin/flash/flash_registration.h"

#include <memory>
#include <string>

#include "plugin/rocksdb_versions.h"

#if BLOOM_LFS_HAS_FLASH_TIER
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
  return 1;
}

#else

int RegisterFlashTier(rocksdb::ObjectLibrary* /*library*/) { return 0; }

#endif

}  // namespace bloom_lfs
