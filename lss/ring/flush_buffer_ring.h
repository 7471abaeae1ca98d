// The ring of buffers: the current one, rotation to the next, back-pressure.
//
// Buffers are used in turn. Buffer number `sequence` of the stream lives at index sequence % count,
// in lap sequence / count. A buffer is opened again only when all bytes of its last lap are below
// hi_stable, so the ring always holds everything that the file does not.
//
// Thread safety: current() and buffer() from any thread, latch-free. Rotate from any thread: one
// wins, the others find the work done. CopyOut from any thread; it holds off reopening.
//   P4  Rotate's release store of current_ -> acquire load in current(): the opened buffer.
#pragma once

#include <sys/uio.h>

#include <atomic>
#include <memory>
#include <shared_mutex>
#include <vector>

#include "lss/base/mutex.h"
#include "lss/base/status.h"
#include "lss/ring/flush_buffer.h"
#include "lss/ring/locate.h"
#include "lss/ring/ring_memory.h"
#include "lss/ring/ring_options.h"
#include "lss/ring/sealed_buffer.h"

namespace lss {

// Blocks a rotation until the file has caught up.
class StableWaiter {
 public:
  virtual ~StableWaiter() = default;
  // Returns when hi_stable is at least `address`, or with the error that will keep it from it.
  virtual Status AwaitStable(Address address) = 0;
};

class FlushBufferRing {
 public:
  struct Cursor {
    uint64_t sequence;
    uint32_t index;
    uint32_t generation;
  };

  // Opens buffer 0 at `start`, a page aligned address. `memory` must outlive the ring.
  FlushBufferRing(const RingMemory& memory, const RingOptions& options, Address start);

  Cursor current() const { return CursorOf(current_.load(std::memory_order_acquire)); }  // P4
  Cursor CursorOf(uint64_t sequence) const {
    return {sequence, static_cast<uint32_t>(sequence % count_), GenerationOfLap(sequence / count_)};
  }
  FlushBuffer& buffer(uint32_t index) { return buffers_[index]; }
  uint64_t bytes() const { return static_cast<uint64_t>(buffer_bytes_) * count_; }
  uint32_t buffer_bytes() const { return buffer_bytes_; }
  uint32_t buffer_count() const { return count_; }

  // Makes the buffer after `sequence` current, unless somebody has. Waits for its last lap to reach
  // the file. REQUIRES: buffer `sequence` is sealed, or is about to be by a thread inside Reserve.
  Status Rotate(uint64_t sequence, StableWaiter* waiter);

  // For the one appender of a stream without gaps: what must have reached the file before `length`
  // bytes more can be copied in without a wait; if they are more than the ring holds, before as
  // many as it holds can.
  Address StableBefore(uint64_t length) const {
    const Cursor now = current();
    const uint64_t left = buffers_[now.index].Remaining(now.generation);
    return length <= left ? 0 : StableBeforeOpening(now, length - left);
  }

  // Makes the memory of the next `length` bytes of the stream writable without a fault; at most as
  // far as the buffer after the current one reaches.
  void PrefaultNext(uint64_t length) const;
  // The same for the whole buffer `ahead` places after the current one, once, before it is used for
  // the first time.
  void PrefaultFirstLap(uint32_t ahead);

  // Describes a sealed buffer and zeroes its padding up to the page. For the holder of the flush
  // duty only: nobody else may touch what lies behind the sealed length. Of the cursor only the
  // index counts: a thread that slept for a lap can get the duty for a later lap than it saw.
  SealedBuffer TakeSealed(const Cursor& cursor);

  // Appends the memory that holds addresses [from, to), in order. REQUIRES: they are committed, and
  // stay above hi_stable for as long as the pieces are used.
  void Gather(Address from, Address to, std::vector<iovec>* pieces) const;
  // Copies up to `length` bytes from `from` on, as far as the ring holds them and below `limit`;
  // 0 if `from` has left the ring: the file has it then.
  size_t CopyOut(Address from, size_t length, Address limit, char* destination) const;

 private:
  // Before `length` bytes can go into buffers behind the current one.
  Address StableBeforeOpening(const Cursor& now, uint64_t length) const;

  const RingMemory& memory_;
  const uint32_t buffer_bytes_;
  const uint32_t count_;
  const MappedRing mapped_;
  std::unique_ptr<FlushBuffer[]> buffers_;
  // Of each buffer's current lap; written before Reopen, so P1 covers it too.
  std::unique_ptr<std::atomic<uint64_t>[]> sequences_;
  std::atomic<uint64_t> current_{0};
  // Held by the one who rotates. Guards no field: it decides who calls Reopen.
  Mutex rotation_;
  // Shared by those who copy out of buffers, held by the one who reopens them. Guards no field: it
  // keeps the bytes of a buffer in place while they are copied.
  mutable std::shared_mutex reopening_;
};

}  // namespace lss
