// How much memory the rings of this process take together, and how large the next one gets.
//
// A process may have one log or a thousand. A ring cannot be taken from a stream that uses it, so
// each new one leaves room for those to come: of what is left it may take a share that falls with
// the number of rings there are. The first sixteen or so get all they ask for under the default
// budget, the thousandth some tens of kilobytes.
//
// Thread safety: every method from any thread.
#pragma once

#include <cstdint>

#include "lss/base/status.h"

namespace lss {

// The shape of a ring and its claim on the budget, given back on destruction.
class RingGrant {
 public:
  RingGrant() = default;
  ~RingGrant();
  RingGrant(RingGrant&& other) noexcept;
  RingGrant& operator=(RingGrant&& other) noexcept;
  RingGrant(const RingGrant&) = delete;
  RingGrant& operator=(const RingGrant&) = delete;

  // Grants a ring of the shape asked for, or a smaller one if it would take more than its share of
  // `budget_bytes`, which counts the rings of the whole process; 0: no limit. NoSpace if not even
  // the smallest ring has room.
  static Status Take(uint64_t budget_bytes, uint32_t buffer_bytes, uint32_t buffer_count,
                     RingGrant* grant);

  uint32_t buffer_bytes() const { return buffer_bytes_; }
  uint32_t buffer_count() const { return buffer_count_; }

 private:
  uint64_t bytes_ = 0;
  uint32_t buffer_bytes_ = 0;
  uint32_t buffer_count_ = 0;
};

// Bytes that all rings of this process take now.
uint64_t RingBytesInUse();

}  // namespace lss
