#include "lss/second_place/doubled_stream.h"

#include <algorithm>
#include <utility>

namespace lss {
namespace {

// Records of a mirror stay when their files have them, so syncing files makes no room.
Status MirrorIsFull(const std::string& log) {
  return Status::NoSpace(
      log +
      " is full of logs that are not deleted yet. A mirror needs second_bytes "
      "for those of all databases at its place: close them, empty the place with "
      "bloom_lfs trim, and open them with more; or flush them sooner");
}

}  // namespace

DoubledStream::DoubledStream(const StreamName& name, SecondMode mode, int64_t degrade_after_ms,
                             const SecondParts& parts, std::function<Status()> sync_file)
    : name_(name),
      mode_(mode),
      degrade_after_ms_(degrade_after_ms),
      parts_(parts),
      sync_file_(std::move(sync_file)),
      side_(name, parts_) {}

void DoubledStream::Appended(ByteView bytes) {
  MutexLock lock(&mutex_);
  appended_ += bytes.size;
  if (too_much_ || !side_error_.ok()) {
    return;
  }
  pending_.append(bytes.data, bytes.size);
  if (pending_.size() <= kMostGrouped) {
    return;
  }
  if (mode_ == SecondMode::kGroup) {
    too_much_ = true;
    pending_.clear();
    return;
  }
  BeginMirroring();
  while (pending_.size() > kMostBehind && side_error_.ok()) {
    if (degrade_after_ms_ == kNever) {
      changed_.Wait(&mutex_);
    } else {
      side_error_ = Status::NoSpace(parts_.log->space().name() +
                                    " is too slow for its log, or does not answer");
      pending_.clear();
    }
  }
}

Status DoubledStream::Sync() { return mode_ == SecondMode::kMirror ? SyncMirror() : SyncGroup(); }

// --- group ---

Status DoubledStream::SyncGroup() {
  uint64_t group = 0;
  Status status = HandOver(&group);
  if (status.ok() && group > 0) {
    const Stopwatch watch(&parts_.figures->side_waits);
    status = parts_.log->Sync(group);
  }
  if (status.ok() && group > 0) {
    parts_.figures->side_syncs.fetch_add(1, std::memory_order_relaxed);  // Relaxed: a figure
    return status;
  }
  if (!status.ok() && parts_.warn != nullptr) {
    parts_.warn("syncs wait for their files: " + status.message());
  }
  return SyncFile();
}

// `group` stays 0 if the file is the better place, or has it already.
Status DoubledStream::HandOver(uint64_t* group) {
  const MutexLock order(&order_);
  Address end = 0;
  spare_.clear();
  {
    const MutexLock lock(&mutex_);
    if (too_much_) {
      return Status::Ok();
    }
    spare_.swap(pending_);
    end = appended_;
    on_side_ = spare_.empty() ? on_side_ : end;
  }
  Status status = side_.Append(spare_, end);
  if (status.ok()) {
    *group = side_.group();
    return status;
  }
  const MutexLock lock(&mutex_);
  too_much_ = true;  // the bytes are in the file only
  pending_.clear();
  return status;
}

// --- mirror ---

Status DoubledStream::SyncMirror() {
  Address end = 0;
  bool was_behind = false;
  const auto begin = TimePoint::clock::now();
  {
    const MutexLock lock(&mutex_);
    end = appended_;
    was_behind = behind_;
    if (mirrored_ < end) {
      BeginMirroring();
    }
  }
  if (Status status = SyncFile(); !status.ok()) {
    return status;
  }
  TimePoint deadline = TimePoint::max();
  if (degrade_after_ms_ != kNever) {
    deadline = begin + std::chrono::milliseconds(was_behind ? 0 : degrade_after_ms_);
  }
  Status side = AwaitMirrored(end, deadline);
  if (side.ok()) {
    parts_.figures->side_syncs.fetch_add(1, std::memory_order_relaxed);  // Relaxed: a figure
    return side;
  }
  if (degrade_after_ms_ == kNever) {
    return side;
  }
  parts_.figures->degraded_syncs.fetch_add(1, std::memory_order_relaxed);  // Relaxed: a figure
  if (parts_.warn != nullptr) {
    parts_.warn("syncs go on without their mirror: " + side.message());
  }
  return Status::Ok();
}

void DoubledStream::BeginMirroring() {
  if (!queued_ && side_error_.ok()) {
    queued_ = true;
    parts_.workers->Add([self = shared_from_this()] { self->Mirror(); });
  }
}

void DoubledStream::Mirror() {
  std::string bytes;
  Address end = 0;
  uint64_t group = 0;
  Status status;
  {
    const MutexLock order(&order_);
    {
      const MutexLock lock(&mutex_);
      queued_ = false;
      bytes.swap(pending_);
      end = appended_;
      changed_.NotifyAll();
    }
    status = side_.Append(bytes, end);
    group = side_.group();
    if (status.code() == Status::Code::kNoSpace) {
      status = MirrorIsFull(parts_.log->space().name());
    }
    if (!status.ok()) {
      FailMirror(status);  // before anybody appends what comes behind the hole
    }
  }
  if (status.ok() && group > 0) {
    const Stopwatch watch(&parts_.figures->side_waits);
    status = parts_.log->Sync(group);
  }
  if (!status.ok()) {
    FailMirror(status);
    return;
  }
  const MutexLock lock(&mutex_);
  if (side_error_.ok()) {
    mirrored_ = std::max(mirrored_, end);
    behind_ = false;
  }
  changed_.NotifyAll();
}

void DoubledStream::FailMirror(const Status& status) {
  const MutexLock lock(&mutex_);
  if (side_error_.ok()) {
    side_error_ = status;
    pending_.clear();
  }
  changed_.NotifyAll();
}

Status DoubledStream::AwaitMirrored(Address end, TimePoint deadline) {
  const MutexLock lock(&mutex_);
  while (mirrored_ < end && side_error_.ok()) {
    if (deadline == TimePoint::max()) {
      changed_.Wait(&mutex_);
    } else if (TimePoint::clock::now() < deadline) {
      changed_.WaitUntil(&mutex_, deadline);
    } else {
      behind_ = true;
      return Status::IoError(parts_.log->space().name() + " does not answer");
    }
  }
  return mirrored_ >= end ? Status::Ok() : side_error_;
}

// --- both ---

Status DoubledStream::SyncFile() {
  Address end = 0;
  {
    const MutexLock lock(&mutex_);
    if (!file_error_.ok()) {
      return file_error_;
    }
    end = appended_;
  }
  if (Status status = SyncFileTimed(); !status.ok()) {
    const MutexLock lock(&mutex_);
    file_error_ = status.IsPassing() ? file_error_ : status;
    return status;
  }
  parts_.figures->file_syncs.fetch_add(1, std::memory_order_relaxed);  // Relaxed: a figure
  if (mode_ == SecondMode::kMirror) {
    return Status::Ok();  // its records are there for another machine
  }
  {
    const MutexLock lock(&mutex_);
    file_durable_ = std::max(file_durable_, end);
    if (too_much_) {
      too_much_ = appended_ > file_durable_;  // what came since was not kept either
    } else {
      const Address begin = appended_ - pending_.size();
      pending_.erase(0, file_durable_ > begin ? file_durable_ - begin : 0);
    }
  }
  parts_.log->FileDurable(name_, end);
  return Status::Ok();
}

Status DoubledStream::SyncFileTimed() {
  const Stopwatch watch(&parts_.figures->file_waits);
  return sync_file_();
}

Status DoubledStream::CatchUp() {
  if (mode_ == SecondMode::kMirror) {
    return Status::Ok();
  }
  Address durable = 0;
  {
    const MutexLock lock(&mutex_);
    if (!file_error_.ok()) {
      return file_error_;
    }
    durable = file_durable_;
    if (on_side_ > durable) {
      durable = 0;
    }
  }
  if (durable == 0) {
    return SyncFile();
  }
  parts_.log->FileDurable(name_, durable);  // what was handed over beside the sync of the file
  return Status::Ok();
}

}  // namespace lss
