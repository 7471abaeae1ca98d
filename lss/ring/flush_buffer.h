// One buffer of the ring: reserve, leave, seal, reopen.
//
// Thread safety: Reserve, Leave, Abandon and Seal from any thread, latch-free. Take is for a buffer
// of which one thread does all that: Take, Seal, Reopen. Reopen: one caller at a time (the ring's
// rotation lock), only after everything sealed has reached the file.
//
// Memory ordering; each number names a pair (lss/README.md, "Ordering pairs"):
//   P1  Reopen's release exchange -> Reserve's acquire addition: the base address of the lap.
//   P2  Leave's acq_rel subtraction -> the last leaver's, and ClaimFlush: every writer's bytes.
//   P3  the sealer's release store of sealed_length_ -> acquire load by whoever flushes or rotates:
//       the length captured by the seal. The sealed bit may be seen before it; then the length
//       still is kLengthUnknown, and is waited for.
//   P9  Reopen's release store of the base -> acquire load in base() and Locate.
#pragma once

#include <atomic>
#include <cstdint>

#include "lss/base/types.h"
#include "lss/ring/buffer_state.h"
#include "lss/ring/ring_format.h"

namespace lss {

// Whether the caller has become the one party that must hand the buffer to the flusher.
enum class [[nodiscard]] FlushDuty{kNone, kMustFlush};

struct [[nodiscard]] BufferReservation {
  bool reserved = false;  // false: the buffer takes no more; rotate and retry
  uint32_t offset = 0;    // of the reserved bytes inside the buffer
  FlushDuty duty = FlushDuty::kNone;
};

class FlushBuffer {
 public:
  FlushBuffer() = default;
  FlushBuffer(const FlushBuffer&) = delete;
  FlushBuffer& operator=(const FlushBuffer&) = delete;

  // Gives the buffer its memory and the cells that hold its base address: for this process, and for
  // others (null: there are none). Before any other call. All must outlive the buffer.
  void Attach(char* data, uint32_t capacity, GuardedWord* base_cell,
              GuardedWord* published_base = nullptr);

  // Takes `length` bytes (1..capacity) in lap `generation`. A failed attempt seals the buffer if it
  // was the first not to fit, and may come back with the duty to flush.
  BufferReservation Reserve(uint32_t length, uint32_t generation);
  // The same by the only thread that ever takes and seals, which saves it two additions that all
  // processors must agree on. There is nothing to leave: what it takes it fills before it takes or
  // seals again. Returns the offset. REQUIRES: `length` is 1..Remaining of the current lap.
  uint32_t Take(uint32_t length) {
    // Relaxed: the word is its own. Its bytes go to the flusher in program order, with the seal.
    const uint64_t word = state_.load(std::memory_order_relaxed);
    state_.store(word + (static_cast<uint64_t>(length) << kOffsetShift), std::memory_order_relaxed);
    return Decode(word).write_offset;
  }
  // Ends a successful reservation: its bytes are written.
  FlushDuty Leave();
  // Ends a successful reservation without bytes: [offset, offset + length) becomes zeros.
  FlushDuty Abandon(uint32_t offset, uint32_t length);
  // Stops reservations in lap `generation`; no effect if sealed, of another lap, or still empty.
  FlushDuty Seal(uint32_t generation);

  // Starts lap `generation` at `base`, with the first `taken` bytes reserved for the caller, who
  // fills them before the buffer is flushed. REQUIRES: every byte of the lap before is in the file.
  void Reopen(Address base, uint32_t generation, uint32_t taken = 0);

  bool IsSealed(uint32_t generation) const;
  // Waits out an overshooter between its addition and its sealing bit, a few instructions.
  // REQUIRES: lap `generation` is sealed, or there is one.
  void AwaitSealed(uint32_t generation) const;
  // Bytes of the sealed lap. REQUIRES: sealed; waits out the few instructions of a sealer under
  // way.
  uint32_t SealedLength() const;
  // Free bytes of lap `generation`, 0 when it is sealed. Exact for a sole appender.
  uint32_t Remaining(uint32_t generation) const {
    // Relaxed: a sole appender sees its own; to anybody else it is a guess.
    const BufferState state = Decode(state_.load(std::memory_order_relaxed));
    const bool open =
        !state.sealed && state.generation == generation && state.write_offset <= capacity_;
    return open ? capacity_ - state.write_offset : 0;
  }

  Address base() const { return base_cell_->load(std::memory_order_acquire); }  // P9
  char* data() const { return data_; }
  uint32_t capacity() const { return capacity_; }
  // Relaxed: a test looks when nothing is under way.
  BufferState StateForTest() const { return Decode(state_.load(std::memory_order_relaxed)); }

 private:
  static constexpr uint32_t kLengthUnknown = UINT32_MAX;

  FlushDuty LeaveWith(uint64_t delta);
  FlushDuty ClaimFlush(uint32_t generation);

  // Born closed, as after a flush, so that Reopen is the only way in.
  std::atomic<uint64_t> state_{Encode({0, 0, kGenerations - 1, true, true})};
  std::atomic<uint32_t> sealed_length_{0};
  char* data_ = nullptr;
  uint32_t capacity_ = 0;
  GuardedWord* base_cell_ = nullptr;
  GuardedWord* published_base_ = nullptr;
};

}  // namespace lss
