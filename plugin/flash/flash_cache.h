// The flash tier as RocksDB sees it: a SecondaryCache whose blocks are pages of a page store, and
// are there again after a restart or a crash.
//
// A block's key names its bytes for good (RocksDB derives it from the identity of an immutable
// file), so what the store knows is never stale. Keys that name a block for one process only (not
// 16 bytes long, or with a zero first word) never get in.
//
// No error reaches RocksDB: what the tier does not have, it does not have.
//
// Thread safety: as rocksdb::SecondaryCache says, every method from any thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "lss/base/mutex.h"
#include "lss/pages/page_store.h"
#include "plugin/flash/block_creator.h"
#include "plugin/flash/flash_options.h"
#include "plugin/rocksdb_versions.h"
#include "rocksdb/secondary_cache.h"

namespace bloom_lfs {

class FlashCache final : public rocksdb::SecondaryCache {
 public:
  static const char* kClassName() { return "bloom_lfs_flash"; }

  FlashCache();
  explicit FlashCache(const FlashOptions& options);
  ~FlashCache() override;

  const char* Name() const override { return kClassName(); }
  rocksdb::Status PrepareOptions(const rocksdb::ConfigOptions& options) override;
  rocksdb::Status ValidateOptions(const rocksdb::DBOptions& db_options,
                                  const rocksdb::ColumnFamilyOptions& cf_options) const override;
  // The options and what the tier has done so far, a line each.
  std::string GetPrintableOptions() const override;

#if BLOOM_LFS_HAS_CREATE_CONTEXT
  rocksdb::Status Insert(const rocksdb::Slice& key, rocksdb::Cache::ObjectPtr object,
                         const rocksdb::Cache::CacheItemHelper* helper, bool force) override;
  rocksdb::Status InsertSaved(const rocksdb::Slice& key, const rocksdb::Slice& saved,
                              rocksdb::CompressionType type, rocksdb::CacheTier source) override;
  std::unique_ptr<rocksdb::SecondaryCacheResultHandle> Lookup(
      const rocksdb::Slice& key, const rocksdb::Cache::CacheItemHelper* helper,
      rocksdb::Cache::CreateContext* context, bool wait, bool advise_erase,
      rocksdb::Statistics* statistics, bool& kept) override;
#else
  rocksdb::Status Insert(const rocksdb::Slice& key, void* object,
                         const rocksdb::Cache::CacheItemHelper* helper) override;
  std::unique_ptr<rocksdb::SecondaryCacheResultHandle> Lookup(
      const rocksdb::Slice& key, const rocksdb::Cache::CreateCallback& create, bool wait,
      bool advise_erase, bool& kept) override;
#endif
  // With true, the second hit would take a block off the flash, to be written again later.
  bool SupportForceErase() const override { return false; }
  void Erase(const rocksdb::Slice& key) override;
  void WaitAll(std::vector<rocksdb::SecondaryCacheResultHandle*> handles) override;
  rocksdb::Status GetCapacity(size_t& capacity) override {
    capacity = options_.size;
    return rocksdb::Status::OK();
  }

  // Opens the store if nothing has been asked of it yet. Null: the options are not valid.
  lss::PageStore* store() const;
  lss::PageFigures figures() const;

 private:
  void SaveBlock(const rocksdb::Slice& key, const rocksdb::Cache::CacheItemHelper* helper,
                 void* object);
  std::unique_ptr<rocksdb::SecondaryCacheResultHandle> LookupBlock(const rocksdb::Slice& key,
                                                                   BlockCreator creator, bool wait,
                                                                   bool* kept);
  bool Serves() const;

  FlashOptions options_;
  mutable lss::Mutex mutex_;
  mutable std::shared_ptr<lss::PageStore> store_ LSS_GUARDED_BY(mutex_);
  // The same, for those who find it set.
  mutable std::atomic<lss::PageStore*> opened_{nullptr};
};

}  // namespace bloom_lfs
