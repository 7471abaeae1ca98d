#include "lss/log_structured_store.h"

#include <algorithm>
#include <cstring>

namespace lss {
namespace {

// A stream that has synced this often is taken to go on doing so.
constexpr uint64_t kSyncsToHeat = 3;
// Syncs of more than this do without a zeroed frontier. It saves them a write of metadata, about
// 0.1 ms here whatever their size; but each byte of it is written twice, and costs as much above
// 200 KiB or so.
constexpr uint64_t kFrontierSyncBytesMax = 128 << 10;

}  // namespace

Address LogStructuredStore::size() const {
  return memory_->header()->committed.load(std::memory_order_acquire);  // P7
}

Status LogStructuredStore::ChooseStyle(Style style) {
  Style seen = style_.load(std::memory_order_relaxed);
  if (seen == style) {
    return Status::Ok();
  }
  if (seen == Style::kUndecided && (style_.compare_exchange_strong(seen, style) || seen == style)) {
    return Status::Ok();
  }
  return Status::InvalidArgument(path() + ": Append and Reserve cannot be mixed on one store");
}

Status LogStructuredStore::Append(ByteView bytes) {
  if (pipeline_.failed()) {
    return pipeline_.error();
  }
  if (closed()) {
    return Status::Closed("append to " + path() + " after close");
  }
  if (Status status = ChooseStyle(Style::kDense); !status.ok()) {
    return status;
  }
  const Address end = accepted_end_.load(std::memory_order_relaxed) + bytes.size;
  // Space is real before bytes are accepted.
  if (Status status = EnsureSpace(end); !status.ok()) {
    return status;
  }
  accepted_end_.store(end, std::memory_order_release);
  if (Status status = CopyIn(bytes.data, bytes.size); !status.ok()) {
    return status;
  }
  // P7: whoever reads the new length finds the bytes in the ring, also another process, also after
  // this one has been killed right behind this line (C3; before it: C2).
  memory_->header()->committed.store(end, std::memory_order_release);
  // P8: either we see that we are retired, or whoever retires and then settles us sees our length.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  return retired_.load(std::memory_order_relaxed) ? Sync() : Status::Ok();
}

Status LogStructuredStore::EnsureSpace(Address end) {
  Status status = space_.EnsureAllocated(end);
  if (!status.ok() && status.code() != Status::Code::kNoSpace) {
    pipeline_.Fail(status);
  }
  return status;
}

Status LogStructuredStore::CopyIn(const char* data, size_t size) {
  while (size > 0) {
    const FlushBufferRing::Cursor cursor = ring_.current();
    FlushBuffer& buffer = ring_.buffer(cursor.index);
    const auto part =
        static_cast<uint32_t>(std::min<size_t>(buffer.Remaining(cursor.generation), size));
    if (part == 0) {
      HandOver(buffer.Seal(cursor.generation), cursor);
      if (Status status = ring_.Rotate(cursor.sequence, &pipeline_); !status.ok()) {
        return status;
      }
      continue;
    }
    const BufferReservation reservation = buffer.Reserve(part, cursor.generation);
    if (!reservation.reserved) {
      HandOver(reservation.duty, cursor);
      continue;
    }
    std::memcpy(buffer.data() + reservation.offset, data, part);
    HandOver(buffer.Leave(), cursor);
    data += part;
    size -= part;
  }
  return Status::Ok();
}

void LogStructuredStore::HandOver(FlushDuty duty, const FlushBufferRing::Cursor& cursor) {
  if (duty == FlushDuty::kNone) {
    return;
  }
  const SealedBuffer buffer = ring_.TakeSealed(cursor);
  if (style_.load(std::memory_order_relaxed) == Style::kReserved) {
    AdvanceCommitted(buffer);
  }
  pipeline_.OnSealed(buffer);
}

// Buffers become complete in any order; the committed length grows over the unbroken sequence.
void LogStructuredStore::AdvanceCommitted(const SealedBuffer& buffer) {
  {
    const std::lock_guard<std::mutex> lock(left_mutex_);
    left_.emplace(buffer.sequence, PageCeil(buffer.end()));
    while (!left_.empty() && left_.begin()->first == next_left_) {
      memory_->header()->committed.store(left_.begin()->second, std::memory_order_release);  // P7
      left_.erase(left_.begin());
      ++next_left_;
    }
  }
  left_changed_.notify_all();
}

Status LogStructuredStore::Reserve(uint32_t size, Reservation* reservation) {
  if (size == 0 || size > ring_.buffer_bytes()) {
    return Status::InvalidArgument("reserve " + std::to_string(size) + " bytes in " + path() +
                                   "; allowed: 1 to " + std::to_string(ring_.buffer_bytes()));
  }
  if (Status status = ChooseStyle(Style::kReserved); !status.ok()) {
    return status;
  }
  for (;;) {
    if (pipeline_.failed()) {
      return pipeline_.error();
    }
    if (closed()) {
      return Status::Closed("reserve in " + path() + " after close");
    }
    const FlushBufferRing::Cursor cursor = ring_.current();
    FlushBuffer& buffer = ring_.buffer(cursor.index);
    if (Status status = EnsureSpace(buffer.base() + buffer.capacity()); !status.ok()) {
      return status;
    }
    const BufferReservation taken = buffer.Reserve(size, cursor.generation);
    if (taken.reserved) {
      *reservation = Reservation();
      reservation->store_ = this;
      reservation->cursor_ = cursor;
      reservation->offset_ = taken.offset;
      reservation->size_ = size;
      reservation->address_ = buffer.base() + taken.offset;
      return Status::Ok();
    }
    HandOver(taken.duty, cursor);
    if (Status status = ring_.Rotate(cursor.sequence, &pipeline_); !status.ok()) {
      return status;
    }
  }
}

Status LogStructuredStore::Flush() {
  if (fork_guard_.InForkedChild()) {
    return Status::Closed("flush of " + path() + " in a forked child");
  }
  if (pipeline_.failed()) {
    return pipeline_.error();
  }
  if (style_.load(std::memory_order_relaxed) != Style::kReserved) {
    return Status::Ok();  // Append has put the bytes where they outlive the process
  }
  const FlushBufferRing::Cursor cursor = ring_.current();
  FlushBuffer& buffer = ring_.buffer(cursor.index);
  HandOver(buffer.Seal(cursor.generation), cursor);
  const bool sealed = buffer.IsSealed(cursor.generation);
  std::unique_lock<std::mutex> lock(left_mutex_);
  left_changed_.wait(lock, [&] { return next_left_ >= cursor.sequence + (sealed ? 1 : 0); });
  return Status::Ok();
}

Status LogStructuredStore::Sync() {
  if (Status status = Flush(); !status.ok()) {
    return status;
  }
  if (closed()) {
    return Status::Closed("sync of " + path() + " after close");
  }
  Status status = tail_.Sync();
  if (status.ok()) {
    AfterSync();
  }
  return status;
}

void LogStructuredStore::AfterSync() {
  if (retired_.load(std::memory_order_relaxed)) {
    return;
  }
  const Address end = durable();
  const Address before = last_sync_end_.exchange(end, std::memory_order_relaxed);
  if (!tail_.hot()) {
    if (tail_.sync_count() >= kSyncsToHeat) {
      RequestHot();
    }
    return;
  }
  const Address step = end - std::min(end, before);
  if (step <= kFrontierSyncBytesMax && step * 4 <= options_.frontier_bytes) {
    RequestFrontier(end);
  }
}

void LogStructuredStore::RequestFrontier(Address end) {
  if (!space_.FrontierDue(end)) {
    return;
  }
  Background::SharedMaintenance().Enqueue([self = shared_from_this()] {
    const Status status = self->space_.ZeroAhead([&] { return self->AppendedEnd(); });
    if (!status.ok()) {
      self->pipeline_.Fail(status);
    }
  });
}

void LogStructuredStore::RequestHot() {
  if (!hot_requested_.exchange(true)) {
    Background::SharedMaintenance().Enqueue([self = shared_from_this()] { self->TurnHot(); });
  }
}

void LogStructuredStore::TurnHot() {
  tail_.MakeHot();
  if (!tail_.hot()) {
    return;
  }
  if (options_.predecessor.frontier_chunk_bytes > 0) {
    RequestFrontier(durable());
  }
  PrefaultFrom(0);
}

// One buffer per job: what others ask of the maintenance thread comes in between.
void LogStructuredStore::PrefaultFrom(uint32_t ahead) {
  if (ahead == ring_.buffer_count() || closed()) {
    return;
  }
  Background::SharedMaintenance().EnqueueHint([self = shared_from_this(), ahead] {
    self->ring_.PrefaultFirstLap(ahead);
    self->PrefaultFrom(ahead + 1);
  });
}

void LogStructuredStore::Retire() {
  retired_.store(true, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_seq_cst);  // P8
  space_.Retire(AppendedEnd());
}

Pace LogStructuredStore::pace() const {
  return {size(), tail_.hot(), space_.largest_chunk_bytes()};
}

// No byte at or above it can be in the file or on its way there.
Address LogStructuredStore::AppendedEnd() const {
  if (style_.load(std::memory_order_relaxed) != Style::kReserved) {
    return accepted_end_.load(std::memory_order_acquire);
  }
  const FlushBufferRing::Cursor cursor = ring_.current();
  return memory_->header()->base[cursor.index].load(std::memory_order_acquire) +
         ring_.buffer_bytes();
}

Status LogStructuredStore::Read(Address address, size_t length, char* destination, size_t* read) {
  *read = 0;
  const Address limit = size();
  while (*read < length && address < limit) {
    const Address stable = hi_stable();
    const size_t wanted = std::min<uint64_t>(length - *read, limit - address);
    size_t got = 0;
    if (address < stable) {
      const size_t in_file = std::min<uint64_t>(wanted, stable - address);
      if (Status status = device_->Read(address, in_file, destination + *read, &got);
          !status.ok()) {
        return status;
      }
      if (got == 0) {
        return Status::Corruption(path() + " at offset " + std::to_string(address) +
                                  ": shorter than what was written to it; somebody truncated it");
      }
    } else {
      // 0 if the bytes have just left the ring: then the watermark has passed them.
      got = ring_.CopyOut(address, wanted, limit, destination + *read);
    }
    *read += got;
    address += got;
  }
  return Status::Ok();
}

void LogStructuredStore::Tick() {
  if (!closed()) {
    tail_.Tick();
  }
}

Status LogStructuredStore::Settle() {
  if (Status status = Flush(); !status.ok()) {
    return status;
  }
  return closed() ? Status::Ok() : tail_.Settle();
}

Status LogStructuredStore::Close() {
  // Before the mutex: the fork may have copied it locked.
  if (fork_guard_.InForkedChild()) {
    return Status::Closed("close of " + path() +
                          " in a forked child of the process that opened it");
  }
  const std::lock_guard<std::mutex> lock(close_mutex_);
  if (close_done_) {
    return close_status_;
  }
  close_done_ = true;
  Status status = Flush();
  closed_.store(true, std::memory_order_release);
  if (status.ok()) {
    status = tail_.Finish();
  }
  close_status_ = status;
  if (!status.ok()) {
    return status;
  }
  // From here a killed process leaves nothing to replay (C14; before it: C13).
  memory_->header()->state.store(static_cast<uint32_t>(RingState::kClosed),
                                 std::memory_order_release);
  if (!tail_.hot()) {
    memory_->Remove();
  } else {
    Background::SharedMaintenance().Enqueue([self = shared_from_this()] { self->FinishClose(); });
  }
  return status;
}

// Zeros that lay behind the tail are gone from the file, but perhaps not yet from the device. The
// ring stays until they are, so that recovery after a power cut knows to look (C14; removed last:
// C15).
void LogStructuredStore::FinishClose() {
  const bool exact_on_device = options_.exact_size_when_synced && durable() == size();
  if (!exact_on_device && !device_->Unlinked()) {
    if (Status status = device_->Sync(); !status.ok()) {
      if (options_.warn) {
        options_.warn(status.ToString() + "; its ring " + ring_path() + " stays for recovery");
      }
      return;
    }
  }
  memory_->Remove();
}

}  // namespace lss
