// Frames on their way from those who insert pages to the one who writes them, first in, first out.
//
// Thread safety: Push from any thread, Pop by one. Latch-free: a slot is taken by counting up, and
// filled a moment later; Pop stops before a slot that is not filled yet.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "lss/pages/frame_pool.h"

namespace lss {

class FrameQueue {
 public:
  // `frames`: how many there are; none is in the queue twice.
  explicit FrameQueue(uint32_t frames) : slots_(frames) {
    for (std::atomic<uint32_t>& slot : slots_) {
      slot.store(FramePool::kNone, std::memory_order_relaxed);  // Relaxed: nobody else has it yet
    }
  }

  void Push(uint32_t frame) {
    const uint64_t at = tail_.fetch_add(1, std::memory_order_acq_rel);   // P45
    slots_[at % slots_.size()].store(frame, std::memory_order_release);  // P44
  }
  // Whether Pop would give one.
  bool HasNext() const {
    return slots_[head_ % slots_.size()].load(std::memory_order_acquire) !=
           FramePool::kNone;  // P44
  }
  // FramePool::kNone: nothing is there.
  uint32_t Pop() {
    std::atomic<uint32_t>& slot = slots_[head_ % slots_.size()];
    const uint32_t frame = slot.load(std::memory_order_acquire);  // P44
    if (frame != FramePool::kNone) {
      // Relaxed: whoever comes round to the slot comes behind one who has the popped frame (P45).
      slot.store(FramePool::kNone, std::memory_order_relaxed);
      ++head_;
    }
    return frame;
  }

 private:
  std::vector<std::atomic<uint32_t>> slots_;
  std::atomic<uint64_t> tail_{0};
  uint64_t head_ = 0;
};

}  // namespace lss
