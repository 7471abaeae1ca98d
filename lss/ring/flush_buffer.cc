#include "lss/ring/flush_buffer.h"

#include <cstring>
#include <thread>

#include "lss/base/check.h"

namespace lss {

void FlushBuffer::Attach(char* data, uint32_t capacity, GuardedWord* base_cell,
                         GuardedWord* published_base) {
  data_ = data;
  capacity_ = capacity;
  base_cell_ = base_cell;
  published_base_ = published_base;
}

BufferReservation FlushBuffer::Reserve(uint32_t length, uint32_t generation) {
  LSS_CHECK(length > 0 && length <= capacity_, "a reservation must fit into a buffer");
  // The look before the addition keeps threads from piling overshoot on a buffer that is done.
  // Relaxed: an old look costs a retry, the addition decides. It is not older than the lap of the
  // caller's cursor, which P4 has ordered before it.
  const BufferState seen = Decode(state_.load(std::memory_order_relaxed));
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
    state_.fetch_or(kSealedBit, std::memory_order_release);             // P3
  }
  return {false, 0, LeaveWith(ReserveDelta(length))};
}

FlushDuty FlushBuffer::Leave() { return LeaveWith(kOneWriter); }

FlushDuty FlushBuffer::Abandon(uint32_t offset, uint32_t length) {
  std::memset(data_ + offset, 0, length);
  return LeaveWith(kOneWriter);
}

FlushDuty FlushBuffer::Seal(uint32_t generation) {
  uint64_t word = state_.load(std::memory_order_relaxed);  // the exchange decides
  for (;;) {
    const BufferState state = Decode(word);
    if (state.sealed || state.generation != generation) {
      return FlushDuty::kNone;  // done, or past
    }
    if (state.write_offset > capacity_) {
      // An overshooter between its addition and its sealing bit: a few instructions.
      std::this_thread::yield();
      word = state_.load(std::memory_order_relaxed);
      continue;
    }
    if (state.write_offset == 0) {
      return FlushDuty::kNone;  // nothing to flush, and two buffers must not share a base address
    }
    // The sealer counts as a writer until the length is stored, so nobody flushes before that.
    if (state_.compare_exchange_weak(word, (word | kSealedBit) + kOneWriter,
                                     std::memory_order_acquire,  // P1: our length comes behind
                                     std::memory_order_relaxed)) {
      // After success `word` still is the OLD word: the length that our exchange captured.
      sealed_length_.store(state.write_offset, std::memory_order_release);  // P3
      return LeaveWith(kOneWriter);
    }
  }
}

FlushDuty FlushBuffer::LeaveWith(uint64_t delta) {
  // fetch_sub returns the OLD word: one writer there means that we were the last.
  const BufferState old = Decode(state_.fetch_sub(delta, std::memory_order_acq_rel));  // P2
  LSS_CHECK(old.writers > 0, "left a buffer that nobody was in");
  if (!old.sealed || old.writers != 1) {
    return FlushDuty::kNone;
  }
  return ClaimFlush(old.generation);
}

FlushDuty FlushBuffer::ClaimFlush(uint32_t generation) {
  // An exchange and not a blind fetch_or: between our leaving and here another last leaver may have
  // claimed, flushed and reopened, and the bit would land in the next lap.
  uint64_t word = state_.load(std::memory_order_relaxed);  // the exchange decides
  for (;;) {
    const BufferState state = Decode(word);
    if (!state.sealed || state.flushing || state.writers != 0 || state.generation != generation) {
      return FlushDuty::kNone;  // claimed, or whoever is inside now will be the last one out
    }
    // P2: whoever has left since our own leaving; his bytes are zeros, but they are his.
    if (state_.compare_exchange_weak(word, word | kFlushingBit, std::memory_order_acquire,
                                     std::memory_order_relaxed)) {
      return FlushDuty::kMustFlush;
    }
  }
}

void FlushBuffer::Reopen(Address base, uint32_t generation, uint32_t taken) {
  base_cell_->store(base, std::memory_order_release);  // P9
  if (published_base_ != nullptr) {
    published_base_->store(base, std::memory_order_release);  // P9
  }
  // Relaxed: P1 publishes it with the word below.
  sealed_length_.store(kLengthUnknown, std::memory_order_relaxed);
  const uint64_t fresh = Encode({taken, 0, generation, false, false});
  // Relaxed: the caller has seen everything of the last lap reach the file; what is left inside are
  // undos, which touch nothing but the word.
  uint64_t word = state_.load(std::memory_order_relaxed);
  for (;;) {
    const BufferState state = Decode(word);
    LSS_CHECK(state.sealed && state.flushing && state.generation != generation,
              "a buffer is reopened before it was flushed");
    if (state.writers != 0) {
      // A late reserver is between its addition and its undo; a store now would lose the undo.
      std::this_thread::yield();
      word = state_.load(std::memory_order_relaxed);
      continue;
    }
    if (state_.compare_exchange_weak(word, fresh, std::memory_order_release,  // P1
                                     std::memory_order_relaxed)) {
      return;
    }
  }
}

bool FlushBuffer::IsSealed(uint32_t generation) const {
  const BufferState state = Decode(state_.load(std::memory_order_acquire));  // P3
  return state.sealed && state.generation == generation;
}

void FlushBuffer::AwaitSealed(uint32_t generation) const {
  for (;;) {
    const BufferState state = Decode(state_.load(std::memory_order_acquire));  // P3
    LSS_CHECK(state.generation == generation && (state.sealed || state.write_offset > capacity_),
              "a rotation away from a buffer that is open");
    if (state.sealed) {
      return;
    }
    std::this_thread::yield();
  }
}

uint32_t FlushBuffer::SealedLength() const {
  uint32_t length = sealed_length_.load(std::memory_order_acquire);  // P3
  while (length == kLengthUnknown) {
    // Relaxed: only a bug is looked for.
    LSS_CHECK(Decode(state_.load(std::memory_order_relaxed)).sealed,
              "the length of a buffer that is open");
    std::this_thread::yield();
    length = sealed_length_.load(std::memory_order_acquire);  // P3
  }
  return length;
}

}  // namespace lss
