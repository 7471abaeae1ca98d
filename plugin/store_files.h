// File handles of WALs and blob files, as RocksDB sees them.
#pragma once

#include <memory>
#include <mutex>

#include "plugin/blob_sizes.h"
#include "plugin/file_source.h"
#include "plugin/live_stores.h"
#include "plugin/rocksdb_versions.h"
#include "rocksdb/file_system.h"

namespace bloom_lfs {

// A file being written. One appender; Sync may run beside it.
// Direct I/O is internal, so use_direct_io() stays false: RocksDB would otherwise pad its writes.
class StoreWritableFile : public rocksdb::FSWritableFile {
 public:
  StoreWritableFile(StorePtr store, const rocksdb::FileOptions& options,
                    const DirectoryId& directory);
  // Closes if nobody has; may outlive the FileSystem object.
  ~StoreWritableFile() override;

  using rocksdb::FSWritableFile::Append;
  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           rocksdb::IODebugContext* dbg) override;
  // Appended bytes survive this process already.
  rocksdb::IOStatus Flush(const rocksdb::IOOptions& options, rocksdb::IODebugContext* dbg) override;
  rocksdb::IOStatus Sync(const rocksdb::IOOptions& options, rocksdb::IODebugContext* dbg) override;
  rocksdb::IOStatus Fsync(const rocksdb::IOOptions& options, rocksdb::IODebugContext* dbg) override;
  // Visible afterwards, not durable, and exactly the bytes appended.
  rocksdb::IOStatus Close(const rocksdb::IOOptions& options, rocksdb::IODebugContext* dbg) override;
  rocksdb::IOStatus Truncate(uint64_t size, const rocksdb::IOOptions& options,
                             rocksdb::IODebugContext* dbg) override;
  rocksdb::IOStatus Allocate(uint64_t offset, uint64_t length, const rocksdb::IOOptions& options,
                             rocksdb::IODebugContext* dbg) override;
  rocksdb::IOStatus RangeSync(uint64_t offset, uint64_t length, const rocksdb::IOOptions& options,
                              rocksdb::IODebugContext* dbg) override;
  uint64_t GetFileSize(const rocksdb::IOOptions& options, rocksdb::IODebugContext* dbg) override;
  // A hint, as for readers below.
  rocksdb::IOStatus InvalidateCache(size_t /*offset*/, size_t /*length*/) override {
    return rocksdb::IOStatus::OK();
  }
  bool IsSyncThreadSafe() const override { return true; }
  bool use_direct_io() const override { return false; }

 protected:
  const StorePtr& store() const { return store_; }

 private:
  const StorePtr store_;
};

// A blob file being written, with O_DIRECT if its records are large. They gain most by leaving out
// the page cache, and who reads one soon afterwards waits little longer for the device than for the
// copying; small ones had better be in memory then.
class BlobWritableFile final : public StoreWritableFile {
 public:
  // `direct_bytes`: from which mean size of its records on.
  BlobWritableFile(StorePtr store, const rocksdb::FileOptions& options,
                   const DirectoryId& directory, uint64_t direct_bytes);
  using StoreWritableFile::Append;
  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           rocksdb::IODebugContext* dbg) override;

 private:
  const uint64_t direct_bytes_;
  BlobSizes sizes_;
};

class SourceSequentialFile final : public rocksdb::FSSequentialFile {
 public:
  explicit SourceSequentialFile(std::unique_ptr<FileSource> source) : source_(std::move(source)) {}
  rocksdb::IOStatus Read(size_t n, const rocksdb::IOOptions& options, rocksdb::Slice* result,
                         char* scratch, rocksdb::IODebugContext* dbg) override;
  // Past the end is fine, as with stock.
  rocksdb::IOStatus Skip(uint64_t n) override;
  rocksdb::IOStatus InvalidateCache(size_t /*offset*/, size_t /*length*/) override {
    return rocksdb::IOStatus::OK();
  }

 private:
  const std::unique_ptr<FileSource> source_;
  uint64_t offset_ = 0;
};

class SourceRandomAccessFile final : public rocksdb::FSRandomAccessFile {
 public:
  explicit SourceRandomAccessFile(std::unique_ptr<FileSource> source)
      : source_(std::move(source)) {}
  rocksdb::IOStatus Read(uint64_t offset, size_t n, const rocksdb::IOOptions& options,
                         rocksdb::Slice* result, char* scratch,
                         rocksdb::IODebugContext* dbg) const override;
  // What can be read now. Works on after the file is renamed or unlinked, as with stock.
  rocksdb::IOStatus GetFileSize(uint64_t* size) BLOOM_LFS_OVERRIDES_OPEN_FILE_SIZE;
  rocksdb::IOStatus InvalidateCache(size_t /*offset*/, size_t /*length*/) override {
    return rocksdb::IOStatus::OK();
  }

 private:
  const std::unique_ptr<FileSource> source_;
};

}  // namespace bloom_lfs
