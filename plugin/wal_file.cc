#include "plugin/wal_file.h"

#include <utility>

#include "plugin/io_status.h"
#include "plugin/rocksdb_versions.h"

namespace bloom_lfs {

using rocksdb::DataVerificationInfo;
using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

WalFile::WalFile(StorePtr store, const FileOptions& options, const LogSuccession& succession,
                 const LogWriterIntent& intent)
    : StoreWritableFile(std::move(store), options, succession.directory()),
      succession_(succession),
      watches_flushes_(kLockWalFlushesTheLog || intent.manual_flush),
      watch_(intent.manual_flush) {}

void WalFile::TakeOver() {
  const lss::Pace pace = succession_.TakeOver();
  store()->TakeOver(pace);
  if (pace.frontier_chunk_bytes > 0) {
    watch_.ExpectSyncs();
  }
  has_bytes_ = true;
}

IOStatus WalFile::Append(const Slice& data, const IOOptions& options, IODebugContext* dbg) {
  if (!has_bytes_) {
    TakeOver();
  }
  watch_.OnAppend();
  return StoreWritableFile::Append(data, options, dbg);
}

IOStatus WalFile::Flush(const IOOptions& options, IODebugContext* dbg) {
  // A log that has a successor is flushed because of that.
  if (watches_flushes_ && watch_.OnFlush() && has_bytes_ && !succession_.HasSuccessor()) {
    return ToIOStatus(shown_.Show(store().get()));
  }
  return StoreWritableFile::Flush(options, dbg);
}

IOStatus WalFile::Sync(const IOOptions& options, IODebugContext* dbg) {
  watch_.OnSync();
  return StoreWritableFile::Sync(options, dbg);
}

IOStatus WalFile::Fsync(const IOOptions& options, IODebugContext* dbg) {
  watch_.OnSync();
  return StoreWritableFile::Fsync(options, dbg);
}

IOStatus StockWalFile::BeforeBytes() {
  if (!has_bytes_) {
    (void)succession_.TakeOver();
    if (lss::Status status = succession_.SettleOlder(/*durable=*/false); !status.ok()) {
      return ToIOStatus(status);
    }
    has_bytes_ = true;
  }
  return IOStatus::OK();
}

IOStatus StockWalFile::Append(const Slice& data, const IOOptions& options, IODebugContext* dbg) {
  if (IOStatus status = BeforeBytes(); !status.ok()) {
    return status;
  }
  return target()->Append(data, options, dbg);
}

IOStatus StockWalFile::Append(const Slice& data, const IOOptions& options,
                              const DataVerificationInfo& verification, IODebugContext* dbg) {
  if (IOStatus status = BeforeBytes(); !status.ok()) {
    return status;
  }
  return target()->Append(data, options, verification, dbg);
}

IOStatus StockWalFile::PositionedAppend(const Slice& data, uint64_t offset,
                                        const IOOptions& options, IODebugContext* dbg) {
  if (IOStatus status = BeforeBytes(); !status.ok()) {
    return status;
  }
  return target()->PositionedAppend(data, offset, options, dbg);
}

IOStatus StockWalFile::PositionedAppend(const Slice& data, uint64_t offset,
                                        const IOOptions& options,
                                        const DataVerificationInfo& verification,
                                        IODebugContext* dbg) {
  if (IOStatus status = BeforeBytes(); !status.ok()) {
    return status;
  }
  return target()->PositionedAppend(data, offset, options, verification, dbg);
}

}  // namespace bloom_lfs
