#include "lss/ring/flush_buffer.h"

#include <cassert>
#include <cstring>
#include <thread>

namespace lss {

void FlushBuffer::Attach(char* data, uint32_t capacity, GuardedWord* base_cell) {
  data_ = data;
  capacity_ = capacity;
  base_cell_ = base_cell;
}

BufferReservation FlushBuffer::Reserve(uint32_t length, uint32_t generation) {
  assert(length > 0 && length <= capacity_);
  // The look before the addition keeps threads from piling overshoot on a buffer that is done.
  const BufferState seen = Decode(state_.load(std::memory_order_acquire));
  if (seen.sealed || seen.generation != generation || seen.write_offset > capacity_) {
    return {};
  }
  // fetch_add returns the OLD word: its offset is where our bytes begin.
  const BufferState old =
      Decode(state_.fetch_add(ReserveDelta(length), std::memory_order_acquire));  // P1
  const bool open = !old.sealed && old.write_offset <= capacity_;
  const bool fits = open && length <= capacity_ - old.write_offset;
  if (fits && old.generation == generation) {
    return {true, old.write_offset, FlushDuty::kNone};
  }
  if (fits) {
    // We slept for a whole lap between look and addition, and landed in an open buffer of another
    // one. Others may already stand on our bytes, so they cannot be given back: they become zeros.
    return {false, 0, Abandon(old.write_offset, length)};
  }
  if (open) {
    // The first that does not fit seals. Nobody else can: until our undo below the offset is above
    // the capacity, so every later reservation sees an overshoot and Seal() keeps out.
    sealed_length_.store(old.write_offset, std::memory_order_release);  // P3
    state_.fetch_or(kSealedBit, std::memory_order_release);
  }
  return {false, 0, LeaveWith(ReserveDelta(length))};
}

FlushDuty FlushBuffer::Leave() { return LeaveWith(kOneWriter); }

FlushDuty FlushBuffer::Abandon(uint32_t offset, uint32_t length) {
  std::memset(data_ + offset, 0, length);
  return LeaveWith(kOneWriter);
}

FlushDuty FlushBuffer::Seal(uint32_t generation) {
  uint64_t word = state_.load(std::memory_order_acquire);
  for (;;) {
    const BufferState state = Decode(word);
    if (state.sealed || state.generation != generation) {
      return FlushDuty::kNone;  // done, or past
    }
    if (state.write_offset > capacity_) {
      // An overshooter between its addition and its sealing bit: a few instructions.
      std::this_thread::yield();
      word = state_.load(std::memory_order_acquire);
      continue;
    }
    if (state.write_offset == 0) {
      return FlushDuty::kNone;  // nothing to flush, and two buffers must not share a base address
    }
    // The sealer counts as a writer until the length is stored, so nobody flushes before that.
    if (state_.compare_exchange_weak(word, (word | kSealedBit) + kOneWriter,
                                     std::memory_order_acq_rel, std::memory_order_acquire)) {
      // After success `word` still is the OLD word: the length that our exchange captured.
      sealed_length_.store(state.write_offset, std::memory_order_release);  // P3
      return LeaveWith(kOneWriter);
    }
  }
}

FlushDuty FlushBuffer::LeaveWith(uint64_t delta) {
  // fetch_sub returns the OLD word: one writer there means that we were the last.
  const BufferState old = Decode(state_.fetch_sub(delta, std::memory_order_acq_rel));  // P2
  assert(old.writers > 0);
  if (!old.sealed || old.writers != 1) {
    return FlushDuty::kNone;
  }
  return ClaimFlush(old.generation);
}

FlushDuty FlushBuffer::ClaimFlush(uint32_t generation) {
  // An exchange and not a blind fetch_or: between our leaving and here another last leaver may have
  // claimed, flushed and reopened, and the bit would land in the next lap.
  uint64_t word = state_.load(std::memory_order_acquire);
  for (;;) {
    const BufferState state = Decode(word);
    if (!state.sealed || state.flushing || state.writers != 0 || state.generation != generation) {
      return FlushDuty::kNone;  // claimed, or whoever is inside now will be the last one out
    }
    if (state_.compare_exchange_weak(word, word | kFlushingBit, std::memory_order_acq_rel,
                                     std::memory_order_acquire)) {
      return FlushDuty::kMustFlush;
    }
  }
}

void FlushBuffer::Reopen(Address base, uint32_t generation) {
  base_cell_->store(base, std::memory_order_release);
  sealed_length_.store(kLengthUnknown, std::memory_order_relaxed);
  const uint64_t fresh = Encode({0, 0, generation, false, false});
  uint64_t word = state_.load(std::memory_order_acquire);
  for (;;) {
    const BufferState state = Decode(word);
    assert(state.sealed && state.flushing && state.generation != generation);
    if (state.writers != 0) {
      // A late reserver is between its addition and its undo; a store now would lose the undo.
      std::this_thread::yield();
      word = state_.load(std::memory_order_acquire);
      continue;
    }
    if (state_.compare_exchange_weak(word, fresh, std::memory_order_release,  // P1
                                     std::memory_order_acquire)) {
      return;
    }
  }
}

bool FlushBuffer::IsSealed(uint32_t generation) const {
  const BufferState state = Decode(state_.load(std::memory_order_acquire));
  return state.sealed && state.generation == generation;
}

uint32_t FlushBuffer::SealedLength() const {
  uint32_t length = sealed_length_.load(std::memory_order_acquire);  // P3
  while (length == kLengthUnknown) {
    std::this_thread::yield();
    length = sealed_length_.load(std::memory_order_acquire);
  }
  return length;
}

uint32_t FlushBuffer::Remaining(uint32_t generation) const {
  const BufferState state = Decode(state_.load(std::memory_order_acquire));
  if (state.sealed || state.generation != generation || state.write_offset > capacity_) {
    return 0;
  }
  return capacity_ - state.write_offset;
}

}  // namespace lss
