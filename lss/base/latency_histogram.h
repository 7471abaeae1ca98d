// How long something took, counted by classes.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "lss/base/counting.h"

namespace lss {

// Thread safety: every method from any thread. The classes grow by themselves: what is read belongs
// to no one moment.
class LatencyHistogram {
 public:
  // Upper ends of the classes, in microseconds; one more class is for what takes longer.
  static constexpr std::array<uint64_t, 15> kUpToMicros = {
      50,    100,   200,    500,    1000,   2000,    5000,    10000,
      20000, 50000, 100000, 200000, 500000, 1000000, 10000000};
  static constexpr size_t kClasses = kUpToMicros.size() + 1;

  void Add(uint64_t nanos) {
    if (!kCounting) {
      return;
    }
    size_t each = 0;
    while (each < kUpToMicros.size() && nanos > kUpToMicros[each] * 1000) {
      ++each;
    }
    counts_[each].fetch_add(1, std::memory_order_relaxed);  // Relaxed: a figure
    nanos_.fetch_add(nanos, std::memory_order_relaxed);     // Relaxed: a figure
  }
  void AddAll(const LatencyHistogram& other) {
    for (size_t each = 0; each < kClasses; ++each) {
      counts_[each].fetch_add(other.count(each), std::memory_order_relaxed);  // Relaxed: a figure
    }
    nanos_.fetch_add(other.nanos(), std::memory_order_relaxed);  // Relaxed: a figure
  }
  uint64_t count(size_t each) const {
    return counts_[each].load(std::memory_order_relaxed);  // Relaxed: a figure
  }
  uint64_t nanos() const { return nanos_.load(std::memory_order_relaxed); }  // Relaxed: a figure

 private:
  std::array<std::atomic<uint64_t>, kClasses> counts_ = {};
  std::atomic<uint64_t> nanos_{0};
};

// Adds the time until it goes.
class Stopwatch {
 public:
  explicit Stopwatch(LatencyHistogram* histogram) : histogram_(histogram) {}
  ~Stopwatch() {
    if (kCounting) {
      const std::chrono::nanoseconds taken = Clock::now() - begin_;
      histogram_->Add(static_cast<uint64_t>(taken.count()));
    }
  }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

 private:
  using Clock = std::chrono::steady_clock;

  LatencyHistogram* const histogram_;
  const Clock::time_point begin_ = kCounting ? Clock::now() : Clock::time_point();
};

}  // namespace lss
