// Direct reads of a finished blob file, from the flash tier where it has them.
//
// RocksDB's caches name blobs anew in each session; here their name is the file (blob_identity.h)
// and what is read of it, which is one blob. What the tier does not have is read from the file and
// offered to the tier if it is an intact record: what a disk returns is believed once only, as
// without a tier. So values that are read without their checksums (ReadOptions::verify_checksums)
// stay out.
//
// Says that it is not read directly, so that RocksDB asks for blobs and not for sectors, and reads
// the sectors itself. Offers no Prefetch: RocksDB then reads ahead into its own memory.
//
// Thread safety: as FSRandomAccessFile.
#pragma once

#include <memory>

#include "lss/pages/page_store.h"
#include "plugin/flash/blob_identity.h"
#include "plugin/rocksdb_versions.h"
#include "rocksdb/file_system.h"

namespace bloom_lfs {

class BlobOnFlash final : public rocksdb::FSRandomAccessFile {
 public:
  // `file` is read directly. `serves_background`: RocksDB's own threads too, which flush and
  // compact.
  BlobOnFlash(std::unique_ptr<rocksdb::FSRandomAccessFile> file, const BlobIdentity& identity,
              std::shared_ptr<lss::PageStore> tier, bool serves_background);

  rocksdb::IOStatus Read(uint64_t offset, size_t length, const rocksdb::IOOptions& options,
                         rocksdb::Slice* result, char* scratch,
                         rocksdb::IODebugContext* dbg) const override;
  // What is not in the tier is read together.
  rocksdb::IOStatus MultiRead(rocksdb::FSReadRequest* requests, size_t count,
                              const rocksdb::IOOptions& options,
                              rocksdb::IODebugContext* dbg) override;

  size_t GetUniqueId(char* id, size_t max_size) const override {
    return file_->GetUniqueId(id, max_size);
  }
  rocksdb::IOStatus InvalidateCache(size_t offset, size_t length) override {
    return file_->InvalidateCache(offset, length);
  }
  rocksdb::Temperature GetTemperature() const override { return file_->GetTemperature(); }
  rocksdb::IOStatus GetFileSize(uint64_t* result) BLOOM_LFS_OVERRIDES_OPEN_FILE_SIZE {
    *result = identity_.size;
    return rocksdb::IOStatus::OK();
  }

 private:
  bool Find(uint64_t offset, size_t length, char* scratch) const;
  void Offer(uint64_t offset, const rocksdb::Slice& bytes) const;
  bool Serves(const rocksdb::IOOptions& options) const;

  const std::unique_ptr<rocksdb::FSRandomAccessFile> file_;
  const BlobIdentity identity_;
  const std::shared_ptr<lss::PageStore> tier_;
  const bool serves_background_;
};

}  // namespace bloom_lfs
