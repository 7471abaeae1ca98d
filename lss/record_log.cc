#include "lss/record_log.h"

#include <utility>

namespace lss {

Status RecordLog::Open(Runtime* runtime, const std::string& path, const StoreOptions& options,
                       std::shared_ptr<RecordLog>* result) {
  Parts parts;
  Status status = Prepare(runtime, path, options, OpenMode::kTruncate, &parts);
  return status.ok() ? Finish(std::move(parts), result) : status;
}

Status RecordLog::Open(Runtime* runtime, std::unique_ptr<Device> device,
                       const StoreOptions& options, std::shared_ptr<RecordLog>* result) {
  Parts parts;
  Status status = Prepare(runtime, std::move(device), options, &parts);
  return status.ok() ? Finish(std::move(parts), result) : status;
}

Status RecordLog::Finish(Parts parts, std::shared_ptr<RecordLog>* result) {
  if (parts.size > 0) {
    parts.memory->Remove();
    return Status::InvalidArgument(parts.device->name() + " holds " + std::to_string(parts.size) +
                                   " bytes; a record log begins on an empty device");
  }
  std::shared_ptr<RecordLog> log(new RecordLog(std::move(parts)));
  log->Start();
  *result = std::move(log);
  return Status::Ok();
}

Status RecordLog::Reserve(uint32_t size, Reservation* reservation) {
  if (size == 0 || size > ring()->buffer_bytes()) {
    return Status::InvalidArgument("reserve " + std::to_string(size) + " bytes in " + path() +
                                   "; allowed: 1 to " + std::to_string(ring()->buffer_bytes()));
  }
  for (;;) {
    if (pipeline()->failed()) {
      return pipeline()->error();
    }
    if (Status status = CheckRing(); !status.ok()) {
      return status;
    }
    if (closed()) {
      return Status::Closed("reserve in " + path() + " after close");
    }
    memory()->AwaitThaw();
    const FlushBufferRing::Cursor cursor = ring()->current();
    FlushBuffer& buffer = ring()->buffer(cursor.index);
    if (Status status = EnsureSpace(buffer.base() + buffer.capacity()); !status.ok()) {
      return status;
    }
    const BufferReservation taken = buffer.Reserve(size, cursor.generation);
    if (taken.reserved) {
      *reservation = Reservation();
      reservation->log_ = this;
      reservation->cursor_ = cursor;
      reservation->offset_ = taken.offset;
      reservation->size_ = size;
      reservation->address_ = buffer.base() + taken.offset;
      figures()->appends.Add();
      return Status::Ok();
    }
    HandOver(taken.duty, cursor);
    if (Status status = ring()->Rotate(cursor.sequence, pipeline()); !status.ok()) {
      return status;
    }
  }
}

Status RecordLog::Flush() {
  if (fork_guard().InForkedChild()) {
    return Status::Closed("flush of " + path() + " in a forked child");
  }
  if (pipeline()->failed()) {
    return pipeline()->error();
  }
  const FlushBufferRing::Cursor cursor = ring()->current();
  FlushBuffer& buffer = ring()->buffer(cursor.index);
  HandOver(buffer.Seal(cursor.generation), cursor);
  const uint64_t wanted = cursor.sequence + (buffer.IsSealed(cursor.generation) ? 1 : 0);
  const MutexLock lock(&left_mutex_);
  while (next_left_ < wanted) {
    left_changed_.Wait(&left_mutex_);
  }
  return CheckRing();
}

void RecordLog::HandOver(FlushDuty duty, const FlushBufferRing::Cursor& cursor) {
  if (duty == FlushDuty::kMustFlush) {
    const SealedBuffer buffer = ring()->TakeSealed(cursor);
    // Not with each reservation: many threads would wait for each other there.
    figures()->appended_bytes.Add(buffer.length);
    AdvanceCommitted(buffer);
    pipeline()->OnSealed(buffer);
  }
}

// Buffers become complete in any order; the committed length grows over the unbroken sequence.
void RecordLog::AdvanceCommitted(const SealedBuffer& buffer) {
  {
    const MutexLock lock(&left_mutex_);
    left_.emplace(buffer.sequence, PageCeil(buffer.end()));
    while (!left_.empty() && left_.begin()->first == next_left_) {
      memory()->words()->committed.store(left_.begin()->second, std::memory_order_release);  // P7
      left_.erase(left_.begin());
      ++next_left_;
    }
  }
  left_changed_.NotifyAll();
  std::atomic_thread_fence(std::memory_order_seq_cst);  // P19
  NoteGrowth();
}

Address RecordLog::AppendedEnd() const {
  const FlushBufferRing::Cursor cursor = ring()->current();
  return memory()->words()->base[cursor.index].load(std::memory_order_acquire) +  // P9
         ring()->buffer_bytes();
}

}  // namespace lss
