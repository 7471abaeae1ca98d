// A library that brings a RocksDB of its own along, as far as that makes block caches.
#include "plugin/loader/shared_handle.h"
#include "plugin/rocksdb_versions.h"

#if BLOOM_LFS_HAS_CREATE_CONTEXT
#define MAKES_CACHES "_ZNK7rocksdb15LRUCacheOptions15MakeSharedCacheEv"
#else
#define MAKES_CACHES "_ZN7rocksdb11NewLRUCacheERKNS_15LRUCacheOptionsE"
#endif

using bloom_lfs::loader::SharedHandle;

[[gnu::visibility("default")]] SharedHandle MakeOwnCache(const void* options) asm(MAKES_CACHES);

static int g_calls = 0;

SharedHandle MakeOwnCache(const void* /*options*/) {
  ++g_calls;
  return SharedHandle(nullptr);
}

// How often its own function has been called, one call more included.
extern "C" int CallOnceMore() {
  const int options = 0;
  const SharedHandle cache = MakeOwnCache(&options);
  return cache.words[0] == nullptr ? g_calls : -1;
}
