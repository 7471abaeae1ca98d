// Which pages are worth the flash, and how fast. Decisions only: no lock, no clock, no I/O; time is
// passed in.
#pragma once

#include <algorithm>
#include <cstdint>

namespace lss {

// In which order pages leave memory, and which of them stay behind.
enum class PagePolicy {
  // S3-FIFO: first in, first out; what was not read there goes no further.
  kS3Fifo,
  // Least recently used first; everything goes on to the flash.
  kLru,
};

enum class Admit {
  kAuto,    // everything until the log is full for the first time, then as the policy says
  kAll,     // everything
  kReused,  // as the policy says, from the beginning
};

struct LeavingPage {
  uint8_t hits = 0;        // while it was in memory
  bool was_ghost = false;  // dropped not long before it came
};

// Whether a page that leaves memory goes to the flash. `log_full`: a page that comes takes the
// place of another.
constexpr bool GoesToFlash(PagePolicy policy, Admit admit, const LeavingPage& page, bool log_full) {
  if (admit == Admit::kAll || policy == PagePolicy::kLru || (admit == Admit::kAuto && !log_full)) {
    return true;
  }
  return page.hits > 0 || page.was_ghost;
}

// Whether a page that lies in a piece of the log to be reclaimed is written again; with it,
// `rewritten` bytes of the piece are.
constexpr bool SurvivesCleaning(uint8_t hits, uint64_t rewritten, uint64_t piece_bytes) {
  constexpr uint8_t kHot = 2;
  constexpr uint64_t kShare = 5;  // at most a fifth, so that cleaning always makes room
  return hits >= kHot && rewritten <= piece_bytes / kShare;
}

// So many bytes a second may be written, on average over a second.
class WriteRate {
 public:
  // 0: no limit.
  explicit WriteRate(uint64_t bytes_per_second) : rate_(bytes_per_second), left_(rate_) {}

  // Whether `bytes` more may be written now.
  bool Take(uint64_t bytes, int64_t now_ns) {
    if (rate_ == 0) {
      return true;
    }
    Refill(now_ns);
    const uint64_t needed = std::min(bytes, rate_);  // a large page takes all there is
    if (left_ < needed) {
      return false;
    }
    left_ -= needed;
    return true;
  }

 private:
  void Refill(int64_t now_ns) {
    constexpr int64_t kSecond = 1'000'000'000;
    const int64_t passed = last_ns_ == 0 ? 0 : std::min(now_ns - last_ns_, kSecond);
    const auto more =
        static_cast<uint64_t>(static_cast<double>(rate_) * (static_cast<double>(passed) / kSecond));
    if (last_ns_ == 0 || more > 0) {
      left_ = std::min(rate_, left_ + more);
      last_ns_ = now_ns;
    }
  }

  const uint64_t rate_;
  uint64_t left_;
  int64_t last_ns_ = 0;
};

}  // namespace lss
