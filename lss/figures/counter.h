// A number that only tells people something: nothing hangs on when it is seen.
#pragma once

#include <atomic>
#include <cstdint>

#include "lss/base/counting.h"

namespace lss {

// May lie in memory that other processes read. Thread safety: as each method says.
class Counter {
 public:
  // From any thread. The value then.
  uint64_t Add(uint64_t amount = 1) {
    return kCounting ? value_.fetch_add(amount, std::memory_order_relaxed) + amount : 0;
  }
  // By the one thread that changes it: costs no more than a store.
  void AddAlone(uint64_t amount = 1) { Set(value() + amount); }
  void Set(uint64_t value) {
    if (kCounting) {
      value_.store(value, std::memory_order_relaxed);
    }
  }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};  // Relaxed everywhere: a figure
};

}  // namespace lss
