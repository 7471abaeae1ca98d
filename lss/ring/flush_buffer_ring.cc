#include "lss/ring/flush_buffer_ring.h"

#include <algorithm>
#include <cstring>
#include <mutex>

#include "lss/base/check.h"

namespace lss {

FlushBufferRing::FlushBufferRing(const RingMemory& memory, const RingOptions& options,
                                 Address start)
    : memory_(memory),
      buffer_bytes_(options.buffer_bytes),
      count_(options.buffer_count),
      mapped_(memory.mapped()),
      buffers_(new FlushBuffer[options.buffer_count]),
      sequences_(new std::atomic<uint64_t>[options.buffer_count]) {
  LSS_CHECK(IsPageAligned(start), "a ring starts at a page");
  for (uint32_t i = 0; i < count_; ++i) {
    buffers_[i].Attach(memory.buffer(i), buffer_bytes_, &memory.words()->base[i],
                       &memory.header()->base[i]);
    sequences_[i].store(i, std::memory_order_relaxed);  // nobody else knows of us yet
  }
  buffers_[0].Reopen(start, GenerationOfLap(0));
}

Status FlushBufferRing::Rotate(uint64_t sequence, StableWaiter* waiter) {
  const MutexLock rotating(&rotation_);
  // Relaxed: changed under this lock only.
  if (current_.load(std::memory_order_relaxed) != sequence) {
    return Status::Ok();
  }
  const Cursor full = CursorOf(sequence);
  buffers_[full.index].AwaitSealed(full.generation);
  const Address base = PageCeil(buffers_[full.index].base() + buffers_[full.index].SealedLength());
  const Cursor next = CursorOf(sequence + 1);
  FlushBuffer& buffer = buffers_[next.index];
  if (next.sequence >= count_) {
    const Address last_lap_end = buffer.base() + buffer.SealedLength();
    if (Status status = waiter->AwaitStable(last_lap_end); !status.ok()) {
      return status;
    }
  }
  memory_.AwaitThaw();
  {
    const std::unique_lock<std::shared_mutex> lock(reopening_);
    sequences_[next.index].store(next.sequence, std::memory_order_relaxed);  // P1 publishes it
    buffer.Reopen(base, next.generation);
  }
  current_.store(next.sequence, std::memory_order_release);  // P4
  return Status::Ok();
}

void FlushBufferRing::PrefaultNext(uint64_t length) const {
  const Cursor now = current();
  const uint64_t left = buffers_[now.index].Remaining(now.generation);
  memory_.PrefaultRange(now.index, buffer_bytes_ - left, std::min(left, length));
  if (length > left) {
    memory_.PrefaultRange(CursorOf(now.sequence + 1).index, 0,
                          std::min<uint64_t>(length - left, buffer_bytes_));
  }
}

Address FlushBufferRing::StableBeforeOpening(const Cursor& now, uint64_t length) const {
  // Buffers to open, and of those the ones that have been used before.
  const uint64_t opened =
      std::min<uint64_t>((length + buffer_bytes_ - 1) / buffer_bytes_, count_ - 1);
  const uint64_t last = now.sequence + opened;
  const Address base = buffers_[now.index].base();
  return last < count_ ? 0 : base - (now.sequence - (last - count_ + 1)) * buffer_bytes_;
}

void FlushBufferRing::PrefaultFirstLap(uint32_t ahead) {
  // Under the lock a buffer that has never been opened stays so. Who holds it may be waiting for
  // the device; nobody waits for that here.
  if (rotation_.TryLock()) {
    const uint64_t sequence = current().sequence + ahead;
    const bool unused = ahead > 0 && sequence < count_;
    if (unused) {
      memory_.PrefaultUnused(CursorOf(sequence).index);
    }
    rotation_.Unlock();
    if (unused) {
      return;
    }
  }
  memory_.Prefault(CursorOf(current().sequence + ahead).index);
}

SealedBuffer FlushBufferRing::TakeSealed(const Cursor& cursor) {
  const FlushBuffer& buffer = buffers_[cursor.index];
  const uint32_t length = buffer.SealedLength();
  memory_.AwaitThaw();
  std::memset(buffer.data() + length, 0, PageCeil(length) - length);
  // Relaxed: the flush duty came by an addition that P1 orders behind it.
  return {sequences_[cursor.index].load(std::memory_order_relaxed), buffer.base(), length,
          buffer.data()};
}

void FlushBufferRing::Gather(Address from, Address to, std::vector<iovec>* pieces) const {
  while (from < to) {
    const Located found = mapped_.Find(from);
    LSS_CHECK(found.length > 0, "bytes above the watermark have left the ring");
    const uint64_t length = std::min(found.length, to - from);
    pieces->push_back({const_cast<char*>(mapped_.At(found)), length});
    from += length;
  }
}

size_t FlushBufferRing::CopyOut(Address from, size_t length, Address limit,
                                char* destination) const {
  const std::shared_lock<std::shared_mutex> lock(reopening_);
  return mapped_.CopyOut(from, length, limit, destination);
}

}  // namespace lss
