// How much memory the rings of a runtime take together, and how large the next one gets.
//
// A process may have one log or a thousand. A ring cannot be taken from a stream that uses it, so
// each new one leaves room for those to come: of what is left it may take a share that falls with
// the number of rings there are. The first ninety or so get all they ask for under the plugin's
// budget, the thousandth some tens of kilobytes.
//
// Thread safety: every method from any thread.
#pragma once

#include <cstdint>

#include "lss/base/fork_guard.h"
#include "lss/base/mutex.h"
#include "lss/base/status.h"
#include "lss/ring/ring_options.h"

namespace lss {

class RingBudget {
 public:
  RingBudget() = default;
  RingBudget(const RingBudget&) = delete;
  RingBudget& operator=(const RingBudget&) = delete;

  // Bytes that all rings take now.
  uint64_t bytes_in_use() const;

 private:
  friend class RingGrant;
  // The most that the next ring may take. NoSpace if that is less than the smallest ring.
  Status ShareLocked(uint64_t limit_bytes, uint64_t* share) const LSS_REQUIRES(mutex_);

  const ForkGuard fork_guard_;
  mutable Mutex mutex_;
  uint64_t bytes_ LSS_GUARDED_BY(mutex_) = 0;
  uint64_t rings_ LSS_GUARDED_BY(mutex_) = 0;
};

// The shape of a ring and its claim on a budget, given back on destruction. The budget must outlive
// it.
class RingGrant {
 public:
  RingGrant() = default;
  ~RingGrant();
  RingGrant(RingGrant&& other) noexcept;
  RingGrant& operator=(RingGrant&& other) noexcept;
  RingGrant(const RingGrant&) = delete;
  RingGrant& operator=(const RingGrant&) = delete;

  // Grants a ring of the shape asked for, or a smaller one if it would take more than its share of
  // `limit_bytes`, which counts all rings of `budget`; 0: no limit. NoSpace if not even the
  // smallest ring has room.
  static Status Take(RingBudget* budget, uint64_t limit_bytes, uint32_t buffer_bytes,
                     uint32_t buffer_count, RingGrant* grant);

  // Makes the ring about half as large, and gives the rest back. False if it is the smallest.
  bool Halve();
  // At most as large as this, if there can be one so small. What it gives up goes back.
  void ShrinkTo(uint64_t bytes);

  uint32_t buffer_bytes() const { return buffer_bytes_; }
  uint32_t buffer_count() const { return buffer_count_; }

 private:
  // Bytes that a file of this ring takes: what is claimed.
  uint64_t file_bytes() const;

  RingBudget* budget_ = nullptr;  // null: nothing is claimed
  uint32_t buffer_bytes_ = 0;
  uint32_t buffer_count_ = 0;
};

}  // namespace lss
