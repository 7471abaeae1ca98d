#include "plugin/bloom_lfs_file_system.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "lss/base/posix_file.h"
#include "lss/recovery/ring_directory.h"
#include "plugin/database_locks.h"
#include "plugin/default_runtime.h"
#include "plugin/directory_recovery.h"
#include "plugin/file_creation.h"
#include "plugin/file_kind.h"
#include "plugin/flash/blob_identity.h"
#include "plugin/flash/blob_tier.h"
#include "plugin/io_status.h"
#include "plugin/log_writer_intent.h"
#include "plugin/second/second_database.h"
#include "plugin/sibling_files.h"
#include "plugin/store_files.h"
#include "plugin/warning.h"

namespace bloom_lfs {

using rocksdb::FileAttributes;
using rocksdb::FileOptions;
using rocksdb::FileSystem;
using rocksdb::FSRandomAccessFile;
using rocksdb::FSRandomRWFile;
using rocksdb::FSSequentialFile;
using rocksdb::FSWritableFile;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;

FileOptions BloomLfsFileSystem::OptimizeForLogWrite(const FileOptions& options,
                                                    const rocksdb::DBOptions& db_options) const {
  NoteLogWriterIntent({db_options.manual_wal_flush});
  return target()->OptimizeForLogWrite(options, db_options);
}

bool BloomLfsFileSystem::Carries(const std::string& path) const {
  return target_is_local_ && (IsWal(path) || IsBlob(path));
}

IOStatus BloomLfsFileSystem::BringToFile(const std::string& path) const {
  if (!Carries(path)) {
    return IOStatus::OK();
  }
  if (IOStatus shown = Show(path); !shown.ok()) {
    return shown;
  }
  const lss::Status status = RecoverDirectory(lss::DirectoryOf(path));
  if (!status.ok()) {
    return ToIOStatus(status);
  }
  return SettleLive(path);
}

IOStatus BloomLfsFileSystem::Show(const std::string& path) {
  return IsWal(path) ? ToIOStatus(SecondDatabase::Show(path)) : IOStatus::OK();
}

IOStatus BloomLfsFileSystem::SettleLive(const std::string& path) {
  const StorePtr store = LiveStores::FindPath(path);
  return store == nullptr ? IOStatus::OK() : ToIOStatus(store->Settle());
}

IOStatus BloomLfsFileSystem::BeforeChanging(const std::string& path) const {
  const bool tells = target_is_local_ && (Carries(path) || SiblingNumber(path) > 0);
  return tells ? ToIOStatus(RecoverDirectory(lss::DirectoryOf(path))) : IOStatus::OK();
}

IOStatus BloomLfsFileSystem::BeforeMaking(const std::string& path) const {
  IOStatus status = BeforeChanging(path);
  if (status.ok()) {
    NoteSibling(path);
  }
  return status;
}

IOStatus BloomLfsFileSystem::NewWritableFile(const std::string& path, const FileOptions& options,
                                             std::unique_ptr<FSWritableFile>* result,
                                             IODebugContext* dbg) {
  const std::optional<LogWriterIntent> writer = TakeLogWriterIntent();
  if (IOStatus status = BeforeMaking(path); !status.ok()) {
    return status;
  }
  if (!Carries(path)) {
    return target()->NewWritableFile(path, options, result, dbg);
  }
  if (LiveStores::FindPath(path) != nullptr) {
    // Somebody still holds a handle on the old file; it keeps its inode, the name gets a new one.
    unlink(path.c_str());
  }
  const FileToCreate file = {path, options, writer, target(), options_};
  if (IsWal(path)) {
    return CreateLog(file, result, dbg);
  }
  IOStatus status = CreateBlob(file, result, dbg);
  if (status.ok() && !options_.blob_flash.empty()) {
    NameBlobFile(path);
  }
  return status;
}

IOStatus BloomLfsFileSystem::ReopenWritableFile(const std::string& path, const FileOptions& options,
                                                std::unique_ptr<FSWritableFile>* result,
                                                IODebugContext* dbg) {
  (void)TakeLogWriterIntent();  // asked for by RocksDB to cut a log that it has replayed
  const bool there = access(path.c_str(), F_OK) == 0;
  if (IOStatus status = there ? BeforeChanging(path) : BeforeMaking(path); !status.ok()) {
    return status;
  }
  if (Carries(path)) {
    if (IOStatus status = SettleLive(path); !status.ok()) {
      return status;
    }
  }
  return target()->ReopenWritableFile(path, options, result, dbg);
}

IOStatus BloomLfsFileSystem::ReuseWritableFile(const std::string& path, const std::string& old_path,
                                               const FileOptions& options,
                                               std::unique_ptr<FSWritableFile>* result,
                                               IODebugContext* dbg) {
  if (!Carries(path) && !Carries(old_path)) {
    IOStatus status = BeforeMaking(path);
    return status.ok() ? target()->ReuseWritableFile(path, old_path, options, result, dbg) : status;
  }
  // Recycling saves allocation, which the zeroed frontier does better. A fresh file has no stale
  // records, and must not be a renamed one: killed before it is emptied, that would be a newest log
  // full of old records, on which RocksDB 7.8 hangs under kSkipAnyCorruptedRecords. Killed between
  // the two steps below, the old log is still there, and as obsolete as it was.
  if (access(old_path.c_str(), F_OK) != 0) {
    return ToIOStatus(lss::Status::FromErrno("reuse", old_path, -1, errno));
  }
  if (IOStatus status = NewWritableFile(path, options, result, dbg); !status.ok()) {
    return status;
  }
  IOStatus status = DeleteFile(old_path, options.io_options, dbg);
  if (!status.ok()) {
    // In this order: a log that nobody writes and that has no ring would silence older rings.
    unlink(path.c_str());
    result->reset();
  }
  return status;
}

IOStatus BloomLfsFileSystem::NewRandomRWFile(const std::string& path, const FileOptions& options,
                                             std::unique_ptr<FSRandomRWFile>* result,
                                             IODebugContext* dbg) {
  if (IOStatus status = BringToFile(path); !status.ok()) {
    return status;
  }
  return target()->NewRandomRWFile(path, options, result, dbg);
}

IOStatus BloomLfsFileSystem::NewMemoryMappedFileBuffer(
    const std::string& path, std::unique_ptr<rocksdb::MemoryMappedFileBuffer>* result) {
  if (IOStatus status = BringToFile(path); !status.ok()) {
    return status;
  }
  return target()->NewMemoryMappedFileBuffer(path, result);
}

IOStatus BloomLfsFileSystem::NewSequentialFile(const std::string& path, const FileOptions& options,
                                               std::unique_ptr<FSSequentialFile>* result,
                                               IODebugContext* dbg) {
  if (!Carries(path)) {
    return target()->NewSequentialFile(path, options, result, dbg);
  }
  if (IOStatus shown = Show(path); !shown.ok()) {
    return shown;
  }
  std::unique_ptr<FileSource> source;
  const lss::Status status = FileSource::Open(path, &source);
  if (status.ok() && IsBlob(path) && source->IsPlainFile()) {
    return target()->NewSequentialFile(path, options, result, dbg);
  }
  if (status.ok()) {
    *result = std::make_unique<SourceSequentialFile>(std::move(source));
  }
  return ToIOStatus(status);
}

IOStatus BloomLfsFileSystem::NewRandomAccessFile(const std::string& path,
                                                 const FileOptions& options,
                                                 std::unique_ptr<FSRandomAccessFile>* result,
                                                 IODebugContext* dbg) {
  if (!Carries(path)) {
    return target()->NewRandomAccessFile(path, options, result, dbg);
  }
  if (IOStatus shown = Show(path); !shown.ok()) {
    return shown;
  }
  std::unique_ptr<FileSource> source;
  const lss::Status status = FileSource::Open(path, &source);
  if (status.ok() && IsBlob(path) && source->IsPlainFile()) {
    IOStatus opened = target()->NewRandomAccessFile(path, options, result, dbg);
    if (opened.ok()) {
      *result =
          blob_tier_->Put(std::move(*result), path, options_.blob_flash, HoldsDatabaseOf(path));
    }
    return opened;
  }
  if (status.ok()) {
    *result = std::make_unique<SourceRandomAccessFile>(std::move(source));
  }
  return ToIOStatus(status);
}

IOStatus BloomLfsFileSystem::GetFileSize(const std::string& path, const IOOptions& options,
                                         uint64_t* size, IODebugContext* dbg) {
  if (!target_is_local_ || !IsOursOrTrash(path)) {
    return target()->GetFileSize(path, options, size, dbg);
  }
  // Who asks may copy that much by other means. An error stays the writer's: the size is right.
  (void)Show(path);
  (void)LiveStores::ShowLog(path);
  std::unique_ptr<FileSource> source;
  lss::Status status = FileSource::Open(path, &source);
  if (status.ok()) {
    status = source->Size(size);
  }
  return ToIOStatus(status);
}

IOStatus BloomLfsFileSystem::GetFileModificationTime(const std::string& path,
                                                     const IOOptions& options, uint64_t* seconds,
                                                     IODebugContext* dbg) {
  if (Carries(path)) {
    (void)Show(path);
    (void)LiveStores::ShowLog(path);
  }
  return target()->GetFileModificationTime(path, options, seconds, dbg);
}

IOStatus BloomLfsFileSystem::GetChildren(const std::string& directory, const IOOptions& options,
                                         std::vector<std::string>* names, IODebugContext* dbg) {
  if (target_is_local_) {
    if (lss::Status status = SecondDatabase::Listing(directory); !status.ok()) {
      return ToIOStatus(status);
    }
  }
  IOStatus status = target()->GetChildren(directory, options, names, dbg);
  names->erase(std::remove(names->begin(), names->end(), lss::kRingDirectoryName), names->end());
  return status;
}

IOStatus BloomLfsFileSystem::GetChildrenFileAttributes(const std::string& directory,
                                                       const IOOptions& options,
                                                       std::vector<FileAttributes>* attributes,
                                                       IODebugContext* dbg) {
  // The generic version asks our own GetChildren and GetFileSize, which know about live WALs.
  return FileSystem::GetChildrenFileAttributes(  // NOLINT(bugprone-parent-virtual-call): meant
      directory, options, attributes, dbg);
}

IOStatus BloomLfsFileSystem::LockFile(const std::string& path, const IOOptions& options,
                                      rocksdb::FileLock** lock, IODebugContext* dbg) {
  KeepFigures();
  IOStatus status = target()->LockFile(path, options, lock, dbg);
  if (!status.ok()) {
    return status;
  }
  NoteDatabaseLocked(*lock, path);
  blob_tier_->NoteLocked();
  if (target_is_local_) {
    status = ToIOStatus(SecondDatabase::Locked(*lock, lss::DirectoryOf(path)));
  }
  if (!status.ok()) {
    (void)UnlockFile(*lock, options, dbg);
    *lock = nullptr;
  }
  return status;
}

IOStatus BloomLfsFileSystem::UnlockFile(rocksdb::FileLock* lock, const IOOptions& options,
                                        IODebugContext* dbg) {
  SecondDatabase::Unlocking(lock);
  NoteDatabaseUnlocked(lock);
  blob_tier_->NoteUnlocked();
  return target()->UnlockFile(lock, options, dbg);
}

IOStatus BloomLfsFileSystem::DeleteFile(const std::string& path, const IOOptions& options,
                                        IODebugContext* dbg) {
  if (Carries(path)) {
    if (lss::Status status = RecoverDirectory(lss::DirectoryOf(path)); !status.ok()) {
      return ToIOStatus(status);
    }
  }
  // RocksDB deletes logs that it has not closed yet. Killed in between, it would leave a ring whose
  // bytes nobody wants, and which looks like the only copy of them.
  const StorePtr store = Carries(path) ? LiveStores::FindPath(path) : nullptr;
  if (store != nullptr) {
    store->NoteDeletion(true);
  }
  IOStatus status = target()->DeleteFile(path, options, dbg);
  if (store != nullptr && !status.ok()) {
    store->NoteDeletion(false);
  }
  if (status.ok() && Carries(path) && IsWal(path)) {
    SecondDatabase::Deleted(path);
  }
  return status;
}

IOStatus BloomLfsFileSystem::DeleteDir(const std::string& directory, const IOOptions& options,
                                       IODebugContext* dbg) {
  if (target_is_local_) {
    lss::RemoveDeadRingDirectory(directory);
  }
  return target()->DeleteDir(directory, options, dbg);
}

IOStatus BloomLfsFileSystem::RenameFile(const std::string& from, const std::string& to,
                                        const IOOptions& options, IODebugContext* dbg) {
  if (IOStatus status = BringToFile(from); !status.ok()) {
    return status;
  }
  if (IOStatus status = BeforeMaking(to); !status.ok()) {
    return status;
  }
  IOStatus status = target()->RenameFile(from, to, options, dbg);
  if (status.ok() && target_is_local_ && IsWal(from) && !IsWal(to)) {
    SecondDatabase::Deleted(from);  // it goes slowly
  }
  return status;
}

IOStatus BloomLfsFileSystem::LinkFile(const std::string& from, const std::string& to,
                                      const IOOptions& options, IODebugContext* dbg) {
  if (IOStatus status = BringToFile(from); !status.ok()) {
    return status;
  }
  if (IOStatus status = BeforeMaking(to); !status.ok()) {
    return status;
  }
  return target()->LinkFile(from, to, options, dbg);
}

IOStatus BloomLfsFileSystem::Truncate(const std::string& path, size_t size,
                                      const IOOptions& options, IODebugContext* dbg) {
  if (IOStatus status = BringToFile(path); !status.ok()) {
    return status;
  }
  if (Carries(path)) {
    const StorePtr store = LiveStores::FindPath(path);
    if (store != nullptr) {
      return size == store->size()
                 ? IOStatus::OK()
                 : ToIOStatus(lss::Status::NotSupported("truncate " + path +
                                                        " while it is written; close it first"));
    }
  }
  return target()->Truncate(path, size, options, dbg);
}

#if BLOOM_LFS_HAS_SYNC_FILE
IOStatus BloomLfsFileSystem::SyncFile(const std::string& path, const FileOptions& file_options,
                                      const IOOptions& options, bool use_fsync,
                                      IODebugContext* dbg) {
  if (IOStatus status = BringToFile(path); !status.ok()) {
    return status;
  }
  return target()->SyncFile(path, file_options, options, use_fsync, dbg);
}
#endif

}  // namespace bloom_lfs
