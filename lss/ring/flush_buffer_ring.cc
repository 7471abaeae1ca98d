#include "lss/ring/flush_buffer_ring.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <thread>

namespace lss {

FlushBufferRing::FlushBufferRing(const RingMemory& memory, const StoreOptions& options,
                                 Address start)
    : memory_(memory),
      buffer_bytes_(options.buffer_bytes),
      count_(options.buffer_count),
      buffers_(new FlushBuffer[options.buffer_count]),
      sequences_(new std::atomic<uint64_t>[options.buffer_count]) {
  assert(IsPageAligned(start));
  for (uint32_t i = 0; i < count_; ++i) {
    buffers_[i].Attach(memory.buffer(i), buffer_bytes_, &memory.header()->base[i]);
    sequences_[i].store(i, std::memory_order_relaxed);
  }
  buffers_[0].Reopen(start, GenerationOfLap(0));
}

FlushBufferRing::Cursor FlushBufferRing::CursorOf(uint64_t sequence) const {
  return {sequence, static_cast<uint32_t>(sequence % count_), GenerationOfLap(sequence / count_)};
}

Status FlushBufferRing::Rotate(uint64_t sequence, StableWaiter* waiter) {
  const std::lock_guard<std::mutex> rotating(rotation_);
  if (current_.load(std::memory_order_relaxed) != sequence) {
    return Status::Ok();
  }
  const Cursor full = CursorOf(sequence);
  while (!buffers_[full.index].IsSealed(full.generation)) {
    // An overshooter between its addition and its sealing bit: a few instructions.
    std::this_thread::yield();
  }
  const Address base = PageCeil(buffers_[full.index].base() + buffers_[full.index].SealedLength());
  const Cursor next = CursorOf(sequence + 1);
  FlushBuffer& buffer = buffers_[next.index];
  if (next.sequence >= count_) {
    const Address last_lap_end = buffer.base() + buffer.SealedLength();
    if (Status status = waiter->AwaitStable(last_lap_end); !status.ok()) {
      return status;
    }
  }
  {
    const std::unique_lock<std::shared_mutex> lock(reopening_);
    sequences_[next.index].store(next.sequence, std::memory_order_relaxed);
    buffer.Reopen(base, next.generation);
  }
  current_.store(next.sequence, std::memory_order_release);  // P4
  return Status::Ok();
}

void FlushBufferRing::Prefault(uint32_t ahead) const {
  memory_.Prefault(CursorOf(current().sequence + ahead).index);
}

void FlushBufferRing::PrefaultFirstLap(uint32_t ahead) {
  // Under the lock a buffer that has never been opened stays so. Who holds it may be waiting for
  // the device; nobody waits for that here.
  const std::unique_lock<std::mutex> lock(rotation_, std::try_to_lock);
  const uint64_t sequence = current().sequence + ahead;
  if (lock.owns_lock() && ahead > 0 && sequence < count_) {
    memory_.PrefaultUnused(CursorOf(sequence).index);
  } else {
    Prefault(ahead);
  }
}

SealedBuffer FlushBufferRing::TakeSealed(const Cursor& cursor) {
  const FlushBuffer& buffer = buffers_[cursor.index];
  const uint32_t length = buffer.SealedLength();
  std::memset(buffer.data() + length, 0, PageCeil(length) - length);
  return {sequences_[cursor.index].load(std::memory_order_relaxed), buffer.base(), length,
          buffer.data()};
}

FlushBufferRing::Piece FlushBufferRing::Locate(Address address) const {
  // Bases of the buffers grow with their sequence, so the one with the greatest base at or below
  // the address is the only one that can hold it.
  const FlushBuffer* found = nullptr;
  Address found_base = 0;
  Address next_base = kNoBase;
  for (uint32_t i = 0; i < count_; ++i) {
    const Address base = buffers_[i].base();
    if (base == kNoBase) {
      continue;
    }
    if (base > address) {
      next_base = std::min(next_base, base);
    } else if (found == nullptr || base > found_base) {
      found = &buffers_[i];
      found_base = base;
    }
  }
  if (found == nullptr || address - found_base >= buffer_bytes_) {
    return {nullptr, 0};
  }
  const Address end = std::min<Address>(found_base + buffer_bytes_, next_base);
  return {found->data() + (address - found_base), end - address};
}

void FlushBufferRing::Gather(Address from, Address to, std::vector<iovec>* pieces) const {
  while (from < to) {
    const Piece piece = Locate(from);
    assert(piece.length > 0);
    const uint64_t length = std::min(piece.length, to - from);
    pieces->push_back({const_cast<char*>(piece.data), length});
    from += length;
  }
}

size_t FlushBufferRing::CopyOut(Address from, size_t length, Address limit,
                                char* destination) const {
  const std::shared_lock<std::shared_mutex> lock(reopening_);
  size_t copied = 0;
  while (copied < length && from < limit) {
    const Piece piece = Locate(from);
    if (piece.length == 0) {
      break;
    }
    const size_t part = std::min<uint64_t>({piece.length, length - copied, limit - from});
    std::memcpy(destination + copied, piece.data, part);
    copied += part;
    from += part;
  }
  return copied;
}

}  // namespace lss
