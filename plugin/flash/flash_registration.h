// Makes the flash tier known to RocksDB by its name.
#pragma once

#include "rocksdb/utilities/object_registry.h"

namespace bloom_lfs {

// Adds "bloom_lfs_flash" to the SecondaryCaches of `library` and, where RocksDB makes caches by
// name, to its Caches. Returns how many factories that were.
int RegisterFlashTier(rocksdb::ObjectLibrary* library);

}  // namespace bloom_lfs
