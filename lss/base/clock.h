// The monotonic clock as a number, for policies that have time passed in.
#pragma once

#include <chrono>
#include <cstdint>

namespace lss {

// Nanoseconds of a clock that no setting of the time moves.
inline int64_t SteadyNowNs() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace lss
