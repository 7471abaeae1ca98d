// A log whose syncs rest on a second place, as RocksDB sees it.
#pragma once

#include <functional>
#include <memory>
#include <shared_mutex>
#include <utility>

#include "lss/base/fork_guard.h"
#include "lss/second_place/doubled_stream.h"
#include "plugin/second/second_place.h"
#include "rocksdb/file_system.h"

namespace bloom_lfs {

lss::Status ToStatus(const rocksdb::IOStatus& status);
// What a forked child is told that uses a log of its parent's.
rocksdb::IOStatus ParentsLogError();

// Of the log's file, shared with the thread that brings files up to date.
class SyncedFile {
 public:
  // `note_sync`: to be called when a sync of the log has not reached the file; may be null.
  SyncedFile(std::unique_ptr<rocksdb::FSWritableFile> file, std::function<void()> note_sync)
      : file_(std::move(file)), note_sync_(std::move(note_sync)) {}
  rocksdb::FSWritableFile* get() const { return file_.get(); }
  // Gives the file back. REQUIRES: nobody else has this
  std::unique_ptr<rocksdb::FSWritableFile> Release() { return std::move(file_); }
  // REQUIRES: not closed
  void NoteSync() const {
    if (note_sync_ != nullptr) {
      note_sync_();
    }
  }
  // Closed: it was closed before.
  lss::Status Sync();
  rocksdb::IOStatus Close(const rocksdb::IOOptions& options, rocksdb::IODebugContext* dbg);

 private:
  std::unique_ptr<rocksdb::FSWritableFile> file_;
  const std::function<void()> note_sync_;
  std::shared_mutex closing_;  // shared by those who sync
  bool closed_ = false;
};

// One appender; Sync may run beside it. In a forked child nothing is done: the side log is the
// parent's.
class DoubledLogFile final : public rocksdb::FSWritableFileWrapper {
 public:
  // `owner` is kept as long as the file is open.
  DoubledLogFile(std::shared_ptr<SyncedFile> file, std::shared_ptr<SecondPlace> place,
                 std::shared_ptr<lss::DoubledStream> stream, std::shared_ptr<void> owner);
  // Closes if nobody has.
  ~DoubledLogFile() override;

  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           rocksdb::IODebugContext* dbg) override;
  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           const rocksdb::DataVerificationInfo& verification,
                           rocksdb::IODebugContext* dbg) override;
  rocksdb::IOStatus Sync(const rocksdb::IOOptions& options, rocksdb::IODebugContext* dbg) override;
  rocksdb::IOStatus Fsync(const rocksdb::IOOptions& options, rocksdb::IODebugContext* dbg) override;
  rocksdb::IOStatus Close(const rocksdb::IOOptions& options, rocksdb::IODebugContext* dbg) override;

 private:
  const std::shared_ptr<SyncedFile> file_;
  const std::shared_ptr<SecondPlace> place_;
  const std::shared_ptr<lss::DoubledStream> stream_;
  std::shared_ptr<void> owner_;
  const lss::ForkGuard fork_guard_;
  bool closed_ = false;
};

}  // namespace bloom_lfs
