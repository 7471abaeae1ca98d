#include "lss/stream/stability.h"

#include <algorithm>

#include "lss/base/check.h"

namespace lss {

void Stability::Complete(Address begin, Address end) {
  Address stable = hi_stable();
  if (begin > stable) {
    Address& island_end = completed_islands_[begin];
    island_end = std::max(island_end, end);
    return;
  }
  stable = std::max(stable, end);
  // The watermark swallows every island that it now touches.
  auto island = completed_islands_.begin();
  while (island != completed_islands_.end() && island->first <= stable) {
    stable = std::max(stable, island->second);
    island = completed_islands_.erase(island);
  }
  // P5: whoever sees the new watermark (a reader, a rotation, another process) finds the bytes in
  // the file, because the write completed before this store.
  // C10 before, C11 behind: the file has the bytes either way, and the ring until it is reused.
  words_->hi_stable.store(stable, std::memory_order_release);
}

void Stability::MakeDurable(Address address) {
  LSS_CHECK(address <= hi_stable(), "durable must not pass the watermark");
  if (address > durable()) {
    words_->durable.store(address, std::memory_order_release);  // P10
  }
}

}  // namespace lss
