// RocksDB 7.8's block_cache_compressed keeps other bytes under the keys of the block cache, without
// what says how they are compressed. On a tier the two would be taken for each other, so it gets
// nothing there: neither in nor out. Blobs stay out, too: their keys die with the session. Later
// versions have no such cache, and say what an entry is.
//
// Thread safety: from any thread.
#pragma once

#include "plugin/rocksdb_versions.h"
#include "rocksdb/cache.h"

#if BLOOM_LFS_HAS_FLASH_TIER && !BLOOM_LFS_HAS_CREATE_CONTEXT

namespace bloom_lfs {

// Whether objects of this kind may be put there.
bool IsForTheTier(const rocksdb::Cache::CacheItemHelper& helper);
// Whether what makes such objects may be given bytes from there.
bool IsForTheTier(const rocksdb::Cache::CreateCallback& create);

}  // namespace bloom_lfs

#endif
