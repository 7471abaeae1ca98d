// File handles of logs that RocksDB's log writer appends to.
#pragma once

#include "plugin/flush_watch.h"
#include "plugin/log_succession.h"
#include "plugin/log_writer_intent.h"
#include "plugin/shown_file.h"
#include "plugin/store_files.h"

namespace bloom_lfs {

// On a store. Takes over from the older logs with its first byte; brings the file up to date where
// a Flush asks for that.
class WalFile final : public StoreWritableFile {
 public:
  WalFile(StorePtr store, const rocksdb::FileOptions& options, const LogSuccession& succession,
          const LogWriterIntent& intent);

  using StoreWritableFile::Append;
  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           rocksdb::IODebugContext* dbg) override;
  rocksdb::IOStatus Flush(const rocksdb::IOOptions& options, rocksdb::IODebugContext* dbg) override;
  rocksdb::IOStatus Sync(const rocksdb::IOOptions& options, rocksdb::IODebugContext* dbg) override;
  rocksdb::IOStatus Fsync(const rocksdb::IOOptions& options, rocksdb::IODebugContext* dbg) override;
  // RocksDB has synced the log, and somebody else has seen to that.
  void NoteSync() { watch_.OnSync(); }

 private:
  void TakeOver();

  const LogSuccession succession_;
  const bool watches_flushes_;
  bool has_bytes_ = false;
  FlushWatch watch_;
  ShownFile shown_;
};

// Without a ring, written by the wrapped FileSystem. Before its first byte what the older logs hold
// is in their files: it has no other way to come after them.
class StockWalFile final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  StockWalFile(std::unique_ptr<rocksdb::FSWritableFile> file, const LogSuccession& succession)
      : FSWritableFileOwnerWrapper(std::move(file)), succession_(succession) {}

  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           rocksdb::IODebugContext* dbg) override;
  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           const rocksdb::DataVerificationInfo& verification,
                           rocksdb::IODebugContext* dbg) override;
  rocksdb::IOStatus PositionedAppend(const rocksdb::Slice& data, uint64_t offset,
                                     const rocksdb::IOOptions& options,
                                     rocksdb::IODebugContext* dbg) override;
  rocksdb::IOStatus PositionedAppend(const rocksdb::Slice& data, uint64_t offset,
                                     const rocksdb::IOOptions& options,
                                     const rocksdb::DataVerificationInfo& verification,
                                     rocksdb::IODebugContext* dbg) override;

 private:
  rocksdb::IOStatus BeforeBytes();

  const LogSuccession succession_;
  bool has_bytes_ = false;
};

}  // namespace bloom_lfs
