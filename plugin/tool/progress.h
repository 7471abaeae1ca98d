// A bar that says how far a command has come and how long it will take, on a terminal; nowhere
// else.
//
// Thread safety: none.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace bloom_lfs::tool {

// "[=====     ]  50 %, 3 s left" after `seconds`.
std::string ProgressLine(uint64_t done, uint64_t total, double seconds);

class Progress {
 public:
  // Of `total` bytes. Shown on standard error if that is a terminal.
  explicit Progress(uint64_t total);
  // Takes the bar away.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // So many bytes further.
  void Advance(uint64_t bytes);

 private:
  using Clock = std::chrono::steady_clock;

  const uint64_t total_;
  const bool is_shown_;
  const Clock::time_point begin_ = Clock::now();
  Clock::time_point drawn_;
  bool any_ = false;  // was drawn
  uint64_t done_ = 0;
};

}  // namespace bloom_lfs::tool
