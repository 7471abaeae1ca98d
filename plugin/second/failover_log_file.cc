#include "plugin/second/failover_log_file.h"

#include <utility>

#include "plugin/io_status.h"

namespace bloom_lfs {

using rocksdb::DataVerificationInfo;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

lss::Status FedFile::Append(lss::ByteView bytes) {
  return ToStatus(file_->get()->Append(Slice(bytes.data, bytes.size), IOOptions(), nullptr));
}

FailoverLogFile::FailoverLogFile(std::shared_ptr<SyncedFile> file,
                                 std::shared_ptr<SecondPlace> place,
                                 std::shared_ptr<lss::FailoverStream> stream,
                                 std::shared_ptr<void> owner)
    : file_(std::move(file)),
      place_(std::move(place)),
      stream_(std::move(stream)),
      owner_(std::move(owner)),
      watch_(/*manual=*/false) {}

FailoverLogFile::~FailoverLogFile() {
  if (!closed_) {
    (void)FailoverLogFile::Close(IOOptions(), nullptr);
  }
}

IOStatus FailoverLogFile::Append(const Slice& data, const IOOptions& /*options*/,
                                 IODebugContext* /*dbg*/) {
  if (fork_guard_.InForkedChild()) {
    return ParentsLogError();
  }
  watch_.OnAppend();
  const lss::Status status = stream_->Append({data.data(), data.size()});
  if (status.ok()) {
    size_.fetch_add(data.size(), std::memory_order_relaxed);
  }
  return ToIOStatus(status);
}

IOStatus FailoverLogFile::Append(const Slice& data, const IOOptions& options,
                                 const DataVerificationInfo& /*verification*/,
                                 IODebugContext* dbg) {
  return Append(data, options, dbg);
}

IOStatus FailoverLogFile::Flush(const IOOptions& options, IODebugContext* dbg) {
  if (fork_guard_.InForkedChild()) {
    return ParentsLogError();
  }
  if (!watch_.OnFlush()) {
    return IOStatus::OK();
  }
  const lss::Status status = stream_->Drain();
  return status.ok() ? file_->get()->Flush(options, dbg) : ToIOStatus(status);
}

IOStatus FailoverLogFile::Sync(const IOOptions& /*options*/, IODebugContext* /*dbg*/) {
  if (fork_guard_.InForkedChild()) {
    return ParentsLogError();
  }
  watch_.OnSync();
  return ToIOStatus(stream_->Sync());
}

IOStatus FailoverLogFile::Fsync(const IOOptions& options, IODebugContext* dbg) {
  return Sync(options, dbg);
}

IOStatus FailoverLogFile::Close(const IOOptions& options, IODebugContext* dbg) {
  if (std::exchange(closed_, true) || fork_guard_.InForkedChild()) {
    return IOStatus::OK();  // the parent's
  }
  const lss::Status finished = stream_->Finish();
  IOStatus status = file_->Close(options, dbg);
  if (finished.ok()) {
    place_->Forget(stream_->name());
  }
  place_->End(stream_->name());
  owner_.reset();
  return finished.ok() ? status : ToIOStatus(finished);
}

IOStatus FailoverLogFile::Allocate(uint64_t /*offset*/, uint64_t /*length*/,
                                   const IOOptions& /*options*/, IODebugContext* /*dbg*/) {
  return IOStatus::OK();
}

IOStatus FailoverLogFile::RangeSync(uint64_t /*offset*/, uint64_t /*length*/,
                                    const IOOptions& /*options*/, IODebugContext* /*dbg*/) {
  return IOStatus::OK();
}

IOStatus FailoverLogFile::Truncate(uint64_t size, const IOOptions& options, IODebugContext* dbg) {
  if (fork_guard_.InForkedChild()) {
    return ParentsLogError();
  }
  const lss::Status status = stream_->Drain();
  return status.ok() ? file_->get()->Truncate(size, options, dbg) : ToIOStatus(status);
}

uint64_t FailoverLogFile::GetFileSize(const IOOptions& /*options*/, IODebugContext* /*dbg*/) {
  return size_.load(std::memory_order_relaxed);
}

}  // namespace bloom_lfs
