#include "lss/pages/frame_pool.h"

#include <algorithm>
#include <new>

namespace lss {
namespace {

constexpr uint64_t WithNext(uint64_t list, uint32_t first) {
  return (((list >> 32) + 1) << 32) | first;
}

}  // namespace

FramePool::FramePool(uint32_t frames, uint64_t bytes)
    : capacity_bytes_(bytes), frames_(frames), free_(frames > 0 ? 0 : kNone) {
  for (uint32_t i = 0; i < frames; ++i) {
    // Relaxed: nobody else has the pool yet.
    frames_[i].next_free_.store(i + 1 < frames ? i + 1 : kNone, std::memory_order_relaxed);
  }
}

uint32_t FramePool::Take(uint32_t length) {
  // Relaxed: a budget. It may be short for a moment, never overdrawn.
  if (used_bytes_.fetch_add(length, std::memory_order_relaxed) + length <= capacity_bytes_) {
    if (const uint32_t number = Pop(); number != kNone) {
      Frame& taken = frames_[number];
      if (Fit(&taken, length)) {
        taken.length = length;
        taken.touched.store(false, std::memory_order_relaxed);  // Relaxed: a hint
        used_frames_.fetch_add(1, std::memory_order_relaxed);   // Relaxed: a budget
        return number;
      }
      Push(number);
    }
  }
  used_bytes_.fetch_sub(length, std::memory_order_relaxed);  // Relaxed: a budget
  return kNone;
}

// Gives a frame that was free memory for `length` bytes: what it has, if that is not much more.
bool FramePool::Fit(Frame* frame, uint32_t length) {
  if (frame->bytes != nullptr) {
    kept_bytes_.fetch_sub(frame->capacity_, std::memory_order_relaxed);  // Relaxed: a budget
  }
  if (frame->capacity_ < length || frame->capacity_ - length > length / 4) {
    frame->bytes.reset(new (std::nothrow) char[length]);
    frame->capacity_ = frame->bytes == nullptr ? 0 : length;
  }
  return frame->bytes != nullptr;
}

void FramePool::GiveBack(uint32_t number) { Free(number); }

void FramePool::Free(uint32_t number) {
  Frame& frame = frames_[number];
  const uint32_t capacity = frame.capacity_;
  // Relaxed: budgets
  const uint64_t used = used_bytes_.fetch_sub(frame.length, std::memory_order_relaxed);
  const uint64_t kept = kept_bytes_.fetch_add(capacity, std::memory_order_relaxed);
  if (used - frame.length + kept + capacity > capacity_bytes_) {
    kept_bytes_.fetch_sub(capacity, std::memory_order_relaxed);  // Relaxed: a budget
    frame.bytes.reset();
    frame.capacity_ = 0;
  }
  used_frames_.fetch_sub(1, std::memory_order_relaxed);  // Relaxed: a budget
  Push(number);
}

bool FramePool::Crowded() const {
  // Relaxed: budgets
  return used_bytes_.load(std::memory_order_relaxed) > capacity_bytes_ - capacity_bytes_ / 4 ||
         used_frames_.load(std::memory_order_relaxed) > frames_.size() - frames_.size() / 4;
}

void FramePool::Pin(uint32_t number) {
  // Relaxed: the fence orders it.
  frames_[number].pins_.fetch_add(1, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_seq_cst);  // P41
}

void FramePool::Unpin(uint32_t number) {
  frames_[number].pins_.fetch_sub(1, std::memory_order_release);  // P42
}

bool FramePool::Unread(uint32_t number) {
  return frames_[number].pins_.load(std::memory_order_acquire) == 0;  // P42
}

void FramePool::Retire(uint32_t number) {
  std::atomic_thread_fence(std::memory_order_seq_cst);  // P41
  if (Unread(number)) {
    Free(number);
  } else {
    retired_.push_back(number);
  }
}

void FramePool::Sweep() {
  const auto read =
      std::partition(retired_.begin(), retired_.end(), [&](uint32_t n) { return !Unread(n); });
  std::for_each(read, retired_.end(), [&](uint32_t number) { Free(number); });
  retired_.erase(read, retired_.end());
}

uint32_t FramePool::Pop() {
  uint64_t list = free_.load(std::memory_order_acquire);  // P43
  for (;;) {
    const uint32_t first = static_cast<uint32_t>(list);
    if (first == kNone) {
      return kNone;
    }
    // Relaxed: a stale link goes with a stale list, which the exchange refuses.
    const uint32_t next = frames_[first].next_free_.load(std::memory_order_relaxed);
    if (free_.compare_exchange_weak(list, WithNext(list, next), std::memory_order_acq_rel,  // P43
                                    std::memory_order_acquire)) {                           // P43
      return first;
    }
  }
}

void FramePool::Push(uint32_t number) {
  uint64_t list = free_.load(std::memory_order_relaxed);  // Relaxed: the exchange checks it
  do {
    frames_[number].next_free_.store(static_cast<uint32_t>(list),
                                     std::memory_order_relaxed);  // Relaxed: P43 publishes it
  } while (!free_.compare_exchange_weak(list, WithNext(list, number),
                                        std::memory_order_acq_rel,    // P43
                                        std::memory_order_relaxed));  // Relaxed: tried again
}

}  // namespace lss
