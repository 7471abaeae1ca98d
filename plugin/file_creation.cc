#include "plugin/file_creation.h"

#include <functional>
#include <utility>

#include "lss/base/posix_file.h"
#include "lss/dense_stream.h"
#include "plugin/default_runtime.h"
#include "plugin/figures/stream_figures_source.h"
#include "plugin/io_status.h"
#include "plugin/log_succession.h"
#include "plugin/second/second_database.h"
#include "plugin/sibling_files.h"
#include "plugin/store_files.h"
#include "plugin/wal_file.h"
#include "plugin/warning.h"

namespace bloom_lfs {

using rocksdb::FSWritableFile;
using rocksdb::IODebugContext;
using rocksdb::IOStatus;

namespace {

// A WAL for which there can be no ring.
IOStatus CreateStockLog(const FileToCreate& file, const LogSuccession& succession,
                        const lss::Status& cause, std::unique_ptr<FSWritableFile>* result,
                        IODebugContext* dbg) {
  std::unique_ptr<FSWritableFile> stock;
  IOStatus status = file.target->NewWritableFile(file.path, file.options, &stock, dbg);
  if (status.ok()) {
    CountStockFile(lss::StreamKind::kLog);
    WarnOnce("WALs in " + lss::DirectoryOf(file.path) +
             " are written the stock way: " + cause.message());
    *result = std::make_unique<StockWalFile>(std::move(stock), succession);
  }
  return status;
}

// `note_sync` is to be called when the log is synced elsewhere, while `result` is there.
IOStatus CreateWrittenLog(const FileToCreate& file, std::unique_ptr<FSWritableFile>* result,
                          std::function<void()>* note_sync, IODebugContext* dbg) {
  const LogSuccession succession(file.path);
  lss::StoreOptions store_options = file.plugin_options.ForWal();
  store_options.allocate_ahead = file.options.allow_fallocate;
  store_options.settle_predecessors = [succession](bool durable) {
    return succession.SettleOlder(durable);
  };
  store_options.figures = CountStream(lss::StreamKind::kLog, file.path);
  StorePtr store;
  const lss::Status status = lss::DenseStream::Open(
      DefaultRuntime(file.path), file.path, store_options, lss::OpenMode::kTruncate, &store);
  if (!status.ok()) {
    return CreateStockLog(file, succession, status, result, dbg);
  }
  auto log = std::make_unique<WalFile>(store, file.options, succession, *file.writer);
  *note_sync = [raw = log.get()] { raw->NoteSync(); };
  *result = std::move(log);
  NoteSiblingsIn(store, succession.directory());
  return IOStatus::OK();
}

}  // namespace

IOStatus CreateLog(const FileToCreate& file, std::unique_ptr<FSWritableFile>* result,
                   IODebugContext* dbg) {
  if (!file.writer.has_value()) {
    // A copy: nothing to win, nothing to lose, and no ring to leave behind.
    return file.target->NewWritableFile(file.path, file.options, result, dbg);
  }
  std::unique_ptr<FSWritableFile> log;
  std::function<void()> note_sync;
  IOStatus status = CreateWrittenLog(file, &log, &note_sync, dbg);
  if (status.ok()) {
    status = ToIOStatus(
        SecondDatabase::Double(file.path, file.plugin_options, std::move(note_sync), &log));
  }
  if (status.ok()) {
    *result = std::move(log);
  }
  return status;
}

IOStatus CreateBlob(const FileToCreate& file, std::unique_ptr<FSWritableFile>* result,
                    IODebugContext* dbg) {
  if (file.plugin_options.blob_files) {
    lss::StoreOptions store_options = file.plugin_options.ForBlob();
    store_options.allocate_ahead = file.options.allow_fallocate;
    store_options.figures = CountStream(lss::StreamKind::kBlob, file.path);
    StorePtr store;
    const lss::Status status = lss::DenseStream::Open(
        DefaultRuntime(file.path), file.path, store_options, lss::OpenMode::kTruncate, &store);
    if (status.ok()) {
      const uint64_t direct_bytes =
          file.options.use_direct_writes ? 0 : file.plugin_options.blob_direct_bytes;
      const DirectoryId directory = DirectoryId::Of(lss::DirectoryOf(file.path));
      *result = std::make_unique<BlobWritableFile>(store, file.options, directory, direct_bytes);
      NoteSiblingsIn(store, directory);
      return IOStatus::OK();
    }
    CountStockFile(lss::StreamKind::kBlob);
    WarnOnce("blob files in " + lss::DirectoryOf(file.path) +
             " are written the stock way: " + status.message());
  }
  return file.target->NewWritableFile(file.path, file.options, result, dbg);
}

}  // namespace bloom_lfs
