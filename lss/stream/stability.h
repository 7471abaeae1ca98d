// Three watermarks that must not be confused:
//   completed   some range has been written to the file; there may be a hole before it (an island)
//   hi_stable   everything below has been written to the file: completed and contiguous
//   durable     everything below is on the device: a sync that began after it was written finished
//
// Thread safety: one owner at a time (the pipeline's lock) calls the mutating methods; hi_stable()
// and durable() from any thread. One owner, because check-then-insert by several reapers can leave
// the watermark behind an island for ever.
#pragma once

#include <atomic>
#include <map>

#include "lss/base/types.h"
#include "lss/ring/owner_words.h"

namespace lss {

class Stability {
 public:
  // Publishes through `words`, which recovery and other processes read; must outlive this object.
  explicit Stability(OwnerWords* words) : words_(words) {}

  // [begin, end) is in the file. Overlaps and any order are fine.
  void Complete(Address begin, Address end);
  // Everything below `address` is on the device. REQUIRES: `address` was at most hi_stable() when
  // the sync that shows it was started.
  void MakeDurable(Address address);

  Address hi_stable() const { return words_->hi_stable.load(std::memory_order_acquire); }  // P5
  Address durable() const { return words_->durable.load(std::memory_order_acquire); }      // P10
  // Completed ranges behind a hole, begin -> end.
  const std::map<Address, Address>& completed_islands() const { return completed_islands_; }

 private:
  OwnerWords* words_;
  std::map<Address, Address> completed_islands_;
};

}  // namespace lss
