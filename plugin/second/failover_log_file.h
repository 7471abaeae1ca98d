// A log that does not wait for a file that hangs, as RocksDB sees it.
#pragma once

#include <memory>

#include "lss/base/fork_guard.h"
#include "lss/second_place/failover_stream.h"
#include "plugin/flush_watch.h"
#include "plugin/second/doubled_log_file.h"
#include "plugin/second/second_place.h"
#include "rocksdb/file_system.h"

namespace bloom_lfs {

// Feeds the log's file from the stream's thread.
class FedFile final : public lss::HandOffFile {
 public:
  explicit FedFile(std::shared_ptr<SyncedFile> file) : file_(std::move(file)) {}
  lss::Status Append(lss::ByteView bytes) override;
  lss::Status Sync() override { return file_->Sync(); }

 private:
  const std::shared_ptr<SyncedFile> file_;
};

// One appender; Sync may run beside it. Nothing but Close, and a Flush that shows the log to
// others, waits for the file. In a forked child nothing is done: queue and side log are the
// parent's.
class FailoverLogFile final : public rocksdb::FSWritableFile {
 public:
  // `owner` is kept as long as the file is open.
  FailoverLogFile(std::shared_ptr<SyncedFile> file, std::shared_ptr<SecondPlace> place,
                  std::shared_ptr<lss::FailoverStream> stream, std::shared_ptr<void> owner);
  // Closes if nobody has.
  ~FailoverLogFile() override;

  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           rocksdb::IODebugContext* dbg) override;
  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           const rocksdb::DataVerificationInfo& verification,
                           rocksdb::IODebugContext* dbg) override;
  rocksdb::IOStatus Flush(const rocksdb::IOOptions& options, rocksdb::IODebugContext* dbg) override;
  rocksdb::IOStatus Sync(const rocksdb::IOOptions& options, rocksdb::IODebugContext* dbg) override;
  rocksdb::IOStatus Fsync(const rocksdb::IOOptions& options, rocksdb::IODebugContext* dbg) override;
  rocksdb::IOStatus Close(const rocksdb::IOOptions& options, rocksdb::IODebugContext* dbg) override;
  // Room is the file's own business, on the thread that feeds it.
  rocksdb::IOStatus Allocate(uint64_t offset, uint64_t length, const rocksdb::IOOptions& options,
                             rocksdb::IODebugContext* dbg) override;
  rocksdb::IOStatus RangeSync(uint64_t offset, uint64_t length, const rocksdb::IOOptions& options,
                              rocksdb::IODebugContext* dbg) override;
  rocksdb::IOStatus Truncate(uint64_t size, const rocksdb::IOOptions& options,
                             rocksdb::IODebugContext* dbg) override;
  uint64_t GetFileSize(const rocksdb::IOOptions& options, rocksdb::IODebugContext* dbg) override;
  bool IsSyncThreadSafe() const override { return true; }

 private:
  const std::shared_ptr<SyncedFile> file_;
  const std::shared_ptr<SecondPlace> place_;
  const std::shared_ptr<lss::FailoverStream> stream_;
  std::shared_ptr<void> owner_;
  FlushWatch watch_;
  std::atomic<uint64_t> size_{0};  // Relaxed: one appender; others get an old one or a new one
  const lss::ForkGuard fork_guard_;
  bool closed_ = false;
};

}  // namespace bloom_lfs
