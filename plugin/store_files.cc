#include "plugin/store_files.h"

#include "plugin/io_status.h"

namespace bloom_lfs {

using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

StoreWritableFile::StoreWritableFile(StorePtr store, const FileOptions& options,
                                     const DirectoryId& directory)
    : FSWritableFile(options), store_(std::move(store)) {
  LiveStores::Add(store_, directory);
}

StoreWritableFile::~StoreWritableFile() {
  // RocksDB's own handles close on destruction too; there is nobody left to tell of an error, and
  // the ring file then stays for recovery.
  StoreWritableFile::Close(IOOptions(), nullptr).PermitUncheckedError();
}

IOStatus StoreWritableFile::Append(const Slice& data, const IOOptions& /*options*/,
                                   IODebugContext* /*dbg*/) {
  return ToIOStatus(store_->Append({data.data(), data.size()}));
}

IOStatus StoreWritableFile::Flush(const IOOptions& /*options*/, IODebugContext* /*dbg*/) {
  return ToIOStatus(store_->Flush());
}

IOStatus StoreWritableFile::Sync(const IOOptions& /*options*/, IODebugContext* /*dbg*/) {
  return ToIOStatus(store_->Sync());
}

IOStatus StoreWritableFile::Fsync(const IOOptions& /*options*/, IODebugContext* /*dbg*/) {
  return ToIOStatus(store_->Sync());
}

IOStatus StoreWritableFile::Close(const IOOptions& /*options*/, IODebugContext* /*dbg*/) {
  const lss::Status status = store_->Close();
  // Only now: until the file has its bytes, readers must go through the store.
  LiveStores::Remove(store_);
  return ToIOStatus(status);
}

IOStatus StoreWritableFile::Truncate(uint64_t size, const IOOptions& /*options*/,
                                     IODebugContext* /*dbg*/) {
  if (size == store_->size()) {
    return IOStatus::OK();
  }
  return IOStatus::NotSupported("truncate " + store_->path() + " from " +
                                std::to_string(store_->size()) + " to " + std::to_string(size) +
                                " bytes while it is written; close it first");
}

IOStatus StoreWritableFile::Allocate(uint64_t offset, uint64_t length, const IOOptions& /*options*/,
                                     IODebugContext* /*dbg*/) {
  return ToIOStatus(store_->Allocate(offset, length));
}

IOStatus StoreWritableFile::RangeSync(uint64_t /*offset*/, uint64_t /*length*/,
                                      const IOOptions& /*options*/, IODebugContext* /*dbg*/) {
  // Asks for write-back to begin, so that it does not pile up. Here it never does: what a ring
  // holds is all that can be unwritten.
  return IOStatus::OK();
}

uint64_t StoreWritableFile::GetFileSize(const IOOptions& /*options*/, IODebugContext* /*dbg*/) {
  return store_->size();
}

BlobWritableFile::BlobWritableFile(StorePtr store, const FileOptions& options,
                                   const DirectoryId& directory, uint64_t direct_bytes)
    : StoreWritableFile(std::move(store), options, directory), direct_bytes_(direct_bytes) {}

IOStatus BlobWritableFile::Append(const Slice& data, const IOOptions& options,
                                  IODebugContext* dbg) {
  sizes_.Observe(data.data(), data.size());
  store()->PreferDirectIo(sizes_.MeanRecordBytes() >= direct_bytes_);
  return StoreWritableFile::Append(data, options, dbg);
}

IOStatus SourceSequentialFile::Read(size_t n, const IOOptions& /*options*/, Slice* result,
                                    char* scratch, IODebugContext* /*dbg*/) {
  size_t read = 0;
  const lss::Status status = source_->Read(offset_, n, scratch, &read);
  *result = Slice(scratch, read);
  offset_ += read;
  return ToIOStatus(status);
}

IOStatus SourceSequentialFile::Skip(uint64_t n) {
  offset_ += n;
  return IOStatus::OK();
}

IOStatus SourceRandomAccessFile::Read(uint64_t offset, size_t n, const IOOptions& /*options*/,
                                      Slice* result, char* scratch, IODebugContext* /*dbg*/) const {
  size_t read = 0;
  const lss::Status status = source_->Read(offset, n, scratch, &read);
  *result = Slice(scratch, read);
  return ToIOStatus(status);
}

IOStatus SourceRandomAccessFile::GetFileSize(uint64_t* size) {
  return ToIOStatus(source_->Size(size));
}

}  // namespace bloom_lfs
