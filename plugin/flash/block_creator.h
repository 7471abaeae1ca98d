// How a block comes back into RocksDB's block cache: what a look-up gives for that, over the
// versions of RocksDB.
#pragma once

#include <cstddef>
#include <utility>

#include "lss/pages/page_store.h"
#include "plugin/rocksdb_versions.h"
#include "rocksdb/cache.h"
#include "rocksdb/secondary_cache.h"

#if BLOOM_LFS_HAS_CREATE_CONTEXT
#include "rocksdb/advanced_cache.h"
#endif

namespace bloom_lfs {

struct CreatedBlock {
  void* object = nullptr;  // its receiver's; null: there is none
  size_t charge = 0;
};

#if BLOOM_LFS_HAS_CREATE_CONTEXT
class BlockCreator {
 public:
  BlockCreator(const rocksdb::Cache::CacheItemHelper* helper,
               rocksdb::Cache::CreateContext* context)
      : helper_(helper), context_(context) {}
  CreatedBlock Create(const lss::PageCopy& page) const {
    CreatedBlock block;
    const rocksdb::Status status =
        helper_->create_cb(rocksdb::Slice(page.bytes, page.length),
                           static_cast<rocksdb::CompressionType>(page.compression),
                           static_cast<rocksdb::CacheTier>(page.tier), context_, nullptr,
                           &block.object, &block.charge);
    return status.ok() ? block : CreatedBlock();
  }

 private:
  const rocksdb::Cache::CacheItemHelper* helper_;
  rocksdb::Cache::CreateContext* context_;
};
#else
class BlockCreator {
 public:
  explicit BlockCreator(rocksdb::Cache::CreateCallback create) : create_(std::move(create)) {}
  CreatedBlock Create(const lss::PageCopy& page) const {
    CreatedBlock block;
    if (page.compression != 0 || page.tier != 0) {
      return block;  // a later RocksDB's, which this one cannot take apart
    }
    const rocksdb::Status status = create_(page.bytes, page.length, &block.object, &block.charge);
    return status.ok() ? block : CreatedBlock();
  }

 private:
  rocksdb::Cache::CreateCallback create_;
};
#endif

}  // namespace bloom_lfs
