#include "plugin/second/doubled_log_file.h"

#include <utility>

#include "plugin/io_status.h"

namespace bloom_lfs {

using rocksdb::DataVerificationInfo;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

lss::Status ToStatus(const IOStatus& status) {
  if (status.ok()) {
    return lss::Status::Ok();
  }
  return status.IsNoSpace() ? lss::Status::NoSpace(status.ToString())
                            : lss::Status::IoError(status.ToString());
}

IOStatus ParentsLogError() { return IOStatus::IOError("use of a log in a forked child"); }

lss::Status SyncedFile::Sync() {
  const std::shared_lock<std::shared_mutex> lock(closing_);
  return closed_ ? lss::Status::Closed("a log that is closed is not synced any more")
                 : ToStatus(file_->Sync(IOOptions(), nullptr));
}

IOStatus SyncedFile::Close(const IOOptions& options, IODebugContext* dbg) {
  const std::unique_lock<std::shared_mutex> lock(closing_);
  closed_ = true;
  return file_->Close(options, dbg);
}

DoubledLogFile::DoubledLogFile(std::shared_ptr<SyncedFile> file, std::shared_ptr<SecondPlace> place,
                               std::shared_ptr<lss::DoubledStream> stream,
                               std::shared_ptr<void> owner)
    : FSWritableFileWrapper(file->get()),
      file_(std::move(file)),
      place_(std::move(place)),
      stream_(std::move(stream)),
      owner_(std::move(owner)) {}

DoubledLogFile::~DoubledLogFile() {
  if (!closed_) {
    (void)DoubledLogFile::Close(IOOptions(), nullptr);
  }
}

IOStatus DoubledLogFile::Append(const Slice& data, const IOOptions& options, IODebugContext* dbg) {
  if (fork_guard_.InForkedChild()) {
    return ParentsLogError();
  }
  IOStatus status = target()->Append(data, options, dbg);
  if (status.ok()) {
    stream_->Appended({data.data(), data.size()});
  }
  return status;
}

IOStatus DoubledLogFile::Append(const Slice& data, const IOOptions& options,
                                const DataVerificationInfo& verification, IODebugContext* dbg) {
  if (fork_guard_.InForkedChild()) {
    return ParentsLogError();
  }
  IOStatus status = target()->Append(data, options, verification, dbg);
  if (status.ok()) {
    stream_->Appended({data.data(), data.size()});
  }
  return status;
}

IOStatus DoubledLogFile::Sync(const IOOptions& /*options*/, IODebugContext* /*dbg*/) {
  if (fork_guard_.InForkedChild()) {
    return ParentsLogError();
  }
  file_->NoteSync();
  return ToIOStatus(stream_->Sync());
}

IOStatus DoubledLogFile::Fsync(const IOOptions& options, IODebugContext* dbg) {
  return Sync(options, dbg);
}

IOStatus DoubledLogFile::Close(const IOOptions& options, IODebugContext* dbg) {
  if (std::exchange(closed_, true) || fork_guard_.InForkedChild()) {
    return IOStatus::OK();  // the parent's
  }
  const lss::Status caught_up = stream_->CatchUp();
  IOStatus status = file_->Close(options, dbg);
  if (caught_up.ok() && stream_->mode() == lss::SecondMode::kGroup) {
    place_->Forget(stream_->name());
  }
  place_->End(stream_->name());
  owner_.reset();
  return caught_up.ok() ? status : ToIOStatus(caught_up);
}

}  // namespace bloom_lfs
