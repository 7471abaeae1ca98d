// The memory in which pages stay between their insertion and the flash.
//
// Two bounds: the number of frames, and their bytes. A frame goes from hand to hand:
//
//   free ─Take─► its taker fills it ─► shared: a table word names it ─► its owner (the one thread
//   that writes pages) removes the word and calls Retire ─► free, when the last reader has left
//
// A reader pins the frame first, then looks whether the word still names it; the owner removes the
// word first, then looks for pins (P41). One of the two sees the other, so a frame that is read is
// not reused. A pin that came too late touches a counter and nothing else.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "lss/pages/page_key.h"

namespace lss {

class FramePool;

struct Frame {
  // What its taker writes, before it is shared.
  PageKey key;
  uint32_t length = 0;
  uint8_t compression = 0;
  uint8_t tier = 0;
  bool was_ghost = false;  // the page had been dropped not long ago
  std::unique_ptr<char[]> bytes;
  // The table's word that names it.
  uint64_t index = 0;
  // Read since it was last in front of the queue. Relaxed: a hint.
  std::atomic<bool> touched{false};

 private:
  friend class FramePool;
  // Of `bytes`, which a free frame may have, too.
  uint32_t capacity_ = 0;
  std::atomic<uint32_t> pins_{0};
  std::atomic<uint32_t> next_free_{0};
};

class FramePool {
 public:
  // `frames` < 2^32 - 1.
  FramePool(uint32_t frames, uint64_t bytes);
  FramePool(const FramePool&) = delete;
  FramePool& operator=(const FramePool&) = delete;

  static constexpr uint32_t kNone = UINT32_MAX;

  // --- from any thread ---

  // A frame with room for `length` bytes, or kNone: all are in use. Never waits. Free frames keep
  // their memory for the next taker, as asking for it and giving it back costs more than filling
  // it: all together take `bytes`, and up to a quarter more where pages are not of one size.
  uint32_t Take(uint32_t length);
  // Back, unread and never shared.
  void GiveBack(uint32_t number);
  Frame& frame(uint32_t number) { return frames_[number]; }
  // Around every reading of a shared frame. Behind Pin: look at the word again.
  void Pin(uint32_t number);
  void Unpin(uint32_t number);
  uint64_t used_bytes() const { return used_bytes_.load(std::memory_order_relaxed); }
  // Whether more than three quarters are in use, of the bytes or of the frames.
  bool Crowded() const;

  // --- the owner ---

  // The frame is free as soon as nobody reads it. REQUIRES: no word names it any more.
  void Retire(uint32_t number);
  // Frees what was retired and is read no more.
  void Sweep();
  size_t retired_count() const { return retired_.size(); }

 private:
  bool Fit(Frame* frame, uint32_t length);
  bool Unread(uint32_t number);
  void Free(uint32_t number);
  uint32_t Pop();
  void Push(uint32_t number);

  const uint64_t capacity_bytes_;
  std::vector<Frame> frames_;
  // Relaxed: budgets, which vouch for nothing.
  std::atomic<uint64_t> used_bytes_{0};
  std::atomic<uint64_t> used_frames_{0};
  std::atomic<uint64_t> kept_bytes_{0};  // of free frames
  // The free list: its first frame, and a count of changes above it, so that a list that looks the
  // same is the same.
  std::atomic<uint64_t> free_;
  std::vector<uint32_t> retired_;
};

}  // namespace lss
