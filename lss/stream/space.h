// The file's blocks and size ahead of the tail: allocation, size, and the zeroed frontier.
//
//   0 ........ tail ........ frontier ........ size ........ allocated
//     data           zeros            unwritten      no size yet
//
// - Blocks below `allocated` are real: an append is accepted only below it.
// - Below `size` a write does not change the file's size, so it needs no inode lock.
// - Below `frontier` the blocks are written and synced: a sync there is a pure overwrite and never
//   waits for the file system's journal.
//
// Thread safety: every method from any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>

#include "lss/base/mutex.h"
#include "lss/device/device.h"
#include "lss/stream/heat_policy.h"
#include "lss/stream/stream_options.h"

namespace lss {

class Space {
 public:
  // Nothing is owned; both must outlive the space.
  Space(Device* device, const StreamOptions& options, StreamFigures* figures);

  // What the stream before this one was like. REQUIRES: nothing zeroed yet.
  void Follow(const Pace& predecessor);

  // Real blocks for everything below `end`, where they can be had ahead of the bytes. NoSpace:
  // nothing was taken. No other error: what keeps the device from allocating need not keep it from
  // writing.
  Status EnsureAllocated(Address end) { return end <= allocated() ? Status::Ok() : Allocate(end); }
  // A caller's hint that [offset, offset + length) will be needed.
  Status Reserve(Address offset, uint64_t length);

  // Before a page-wise write that ends at `end`: waits for zeroing that it would meet and makes the
  // file's size cover it; where that is refused, the write itself will grow the file. REQUIRES: the
  // ring's header is durable (the store is hot).
  void PrepareForWrite(Address end);
  // Whether the whole page that `end` lies in may be written: not if the process's size limit ends
  // inside it. Costs nothing below the file's size.
  bool MayWritePageOf(Address end) const;

  // Notes that the stream was synced up to `end`. True: the frontier is due, call ZeroAhead soon
  // on a thread that may block; it is due once until then.
  bool FrontierDue(Address end);
  // Nobody can do that now: it is due again.
  void FrontierNotTaken();
  // Zeroes the next chunk ahead of the tail. `appended_end` tells where appending has got to.
  // REQUIRES: hot. Whatever goes wrong there touches no byte of the stream and is told to nobody:
  // the zeroing, which has a device of its own for that, rests for a while.
  void ZeroAhead(const std::function<Address()>& appended_end);

  // Hint: the stream, at `end`, has found a successor. Nothing more is zeroed until it grows
  // beyond; a chunk under way is given up. Never waits.
  void Retire(Address end);
  // Size of the largest step of the frontier, 0 if there was none.
  uint64_t largest_chunk_bytes() const;

  // Whether the file was made longer than `end`, for writes to come.
  bool ReachesBeyond(Address end) const;
  // Cuts the file to `exact_size` now, with the stream going on. REQUIRES: no write under way.
  Status CutTo(Address exact_size);

  // Cuts the file to `exact_size`, and keeps it exact: nothing is zeroed, and PrepareForWrite not
  // called, before Resume. Gives up a chunk under way. REQUIRES: as CutTo.
  Status Rest(Address exact_size);
  void Resume() { resting_.store(false, std::memory_order_relaxed); }

  // Ends zeroing for good; waits for a chunk under way.
  void StopZeroing();
  // Sets the exact size at the end of the stream's life and frees what lies behind.
  // REQUIRES: StopZeroing, no write under way and none to come.
  Status Finish(Address exact_size);

  // P14: whoever sees the bound has the blocks.
  Address allocated() const { return allocated_.load(std::memory_order_acquire); }
  Address frontier() const;

 private:
  Status Allocate(Address end);
  Status AllocateTo(Address from, Address end) LSS_REQUIRES(allocating_);
  void SetAllocated(Address end) LSS_REQUIRES(allocating_);
  // Until nothing is being zeroed below `page_end`.
  void AwaitZeroing(Address page_end) LSS_REQUIRES(mutex_);
  void GrowTo(Address page_end) LSS_REQUIRES(mutex_);
  // REQUIRES: as CutTo, above `exact_size` only; no chunk under way that may still take blocks.
  Status CutToLocked(Address exact_size) LSS_REQUIRES(mutex_);
  // Whether a chunk under way is wanted no more: the stream rests, or retired_below_ is not
  // `retired_below` any more.
  bool GivesUp(Address retired_below) const;
  bool HasRoomFor(const FrontierPlan::Range& range) const;
  // True with the whole range zeroed and on the device. False also if it GivesUp. `written`: of the
  // last write.
  bool WriteZeros(const FrontierPlan::Range& range, Address retired_below, Status* written);

  Device* const device_;
  StreamFigures* const figures_;
  const uint64_t allocation_step_bytes_;
  const bool allocates_ahead_;
  Mutex allocating_;  // held over the call of the device; taken after mutex_ where both are
  std::atomic<uint64_t> allocated_{0};  // written under allocating_

  mutable Mutex mutex_;
  CondVar zeroing_done_;
  Address size_ LSS_GUARDED_BY(mutex_) = 0;
  FrontierPlan plan_ LSS_GUARDED_BY(mutex_);
  // Start of the range that is being zeroed.
  Address zeroing_from_ LSS_GUARDED_BY(mutex_) = kNothing;
  bool finished_ LSS_GUARDED_BY(mutex_) = false;
  bool frontier_requested_ LSS_GUARDED_BY(mutex_) = false;
  // After a failure; 0: no rest.
  int64_t zeroing_rests_until_ns_ LSS_GUARDED_BY(mutex_) = 0;
  // Zeroing rests while the stream ends below. Relaxed everywhere: a hint that vouches for nothing.
  std::atomic<Address> retired_below_{0};
  // Relaxed everywhere: who zeroes looks again under mutex_, which Rest takes afterwards.
  std::atomic<bool> resting_{false};

  static constexpr Address kNothing = UINT64_MAX;
};

}  // namespace lss
