#include "plugin/flash/compressed_blocks.h"

#if BLOOM_LFS_HAS_FLASH_TIER && !BLOOM_LFS_HAS_CREATE_CONTEXT

#include <dlfcn.h>

#include <atomic>
#include <cstring>
#include <typeinfo>

namespace bloom_lfs {
namespace {

// Somebody looks for compressed blocks: set before the first of them can be put anywhere, as they
// are put where they were looked for in vain.
std::atomic<bool> g_compressed_wanted{false};

enum class Kind { kForTheTier, kElsewhere, kUnnamed };

// By the name of one of its functions, in which rocksdb::BlockContents is a template's argument
// (other kinds: Block, ParsedFullFilterBlock, UncompressionDict) or BlobContents a class.
Kind KindOf(const rocksdb::Cache::CacheItemHelper& helper) {
  Dl_info info = {};
  if (dladdr(reinterpret_cast<const void*>(helper.saveto_cb), &info) == 0 ||
      info.dli_sname == nullptr) {
    return Kind::kUnnamed;
  }
  const bool elsewhere = strstr(info.dli_sname, "INS_13BlockContentsE") != nullptr ||
                         strstr(info.dli_sname, "12BlobContents") != nullptr;
  return elsewhere ? Kind::kElsewhere : Kind::kForTheTier;
}

}  // namespace

bool IsForTheTier(const rocksdb::Cache::CacheItemHelper& helper) {
  // A handful of them in a process, one at a time for most callers.
  static thread_local const rocksdb::Cache::CacheItemHelper* last = nullptr;
  static thread_local Kind kind = Kind::kUnnamed;
  if (&helper != last) {
    kind = KindOf(helper);
    last = &helper;
  }
  // Relaxed: nothing is behind it
  return kind == Kind::kForTheTier ||
         (kind == Kind::kUnnamed && !g_compressed_wanted.load(std::memory_order_relaxed));
}

bool IsForTheTier(const rocksdb::Cache::CreateCallback& create) {
  // Names have one address each, as types do.
  static thread_local const std::type_info* last = nullptr;
  static thread_local bool last_is = false;
  const std::type_info* const type = &create.target_type();
  if (type != last) {
    last_is = strstr(type->name(), "13BlockContentsE") == nullptr;
    last = type;
  }
  if (!last_is) {
    g_compressed_wanted.store(true, std::memory_order_relaxed);  // Relaxed: above
  }
  return last_is;
}

}  // namespace bloom_lfs

#endif
