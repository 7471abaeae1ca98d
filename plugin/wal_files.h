// File handles of WALs, as RocksDB sees them.
#pragma once

#include <memory>
#include <mutex>

#include "plugin/live_stores.h"
#include "plugin/wal_source.h"
#include "rocksdb/file_system.h"

namespace bloom_lfs {

// A WAL being written. One appender; Sync may run beside it.
// Direct I/O is internal, so use_direct_io() stays false: RocksDB would otherwise pad its writes.
class WalWritableFile final : public rocksdb::FSWritableFile {
 public:
  WalWritableFile(StorePtr store, const rocksdb::FileOptions& options);
  // Closes if nobody has; may outlive the FileSystem object.
  ~WalWritableFile() override;

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

 private:
  const StorePtr store_;
};

class WalSequentialFile final : public rocksdb::FSSequentialFile {
 public:
  explicit WalSequentialFile(std::unique_ptr<WalSource> source) : source_(std::move(source)) {}
  rocksdb::IOStatus Read(size_t n, const rocksdb::IOOptions& options, rocksdb::Slice* result,
                         char* scratch, rocksdb::IODebugContext* dbg) override;
  // Past the end is fine, as with stock.
  rocksdb::IOStatus Skip(uint64_t n) override;
  rocksdb::IOStatus InvalidateCache(size_t /*offset*/, size_t /*length*/) override {
    return rocksdb::IOStatus::OK();
  }

 private:
  const std::unique_ptr<WalSource> source_;
  uint64_t offset_ = 0;
};

class WalRandomAccessFile final : public rocksdb::FSRandomAccessFile {
 public:
  explicit WalRandomAccessFile(std::unique_ptr<WalSource> source) : source_(std::move(source)) {}
  rocksdb::IOStatus Read(uint64_t offset, size_t n, const rocksdb::IOOptions& options,
                         rocksdb::Slice* result, char* scratch,
                         rocksdb::IODebugContext* dbg) const override;
  rocksdb::IOStatus InvalidateCache(size_t /*offset*/, size_t /*length*/) override {
    return rocksdb::IOStatus::OK();
  }

 private:
  const std::unique_ptr<WalSource> source_;
};

}  // namespace bloom_lfs
