#include "plugin/tool/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace bloom_lfs::tool {
namespace {

constexpr std::chrono::milliseconds kRedraw(100);
constexpr int kBarWidth = 30;
// Earlier a guess of what is left says nothing.
constexpr double kSecondsToGuess = 0.5;

}  // namespace

std::string ProgressLine(uint64_t done, uint64_t total, double seconds) {
  const double part =
      total == 0 ? 1 : std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
  const int filled = static_cast<int>(part * kBarWidth);
  char percent[16];
  snprintf(percent, sizeof(percent), "%3d %%", static_cast<int>(part * 100));
  std::string line = "[" + std::string(static_cast<size_t>(filled), '=') +
                     std::string(static_cast<size_t>(kBarWidth - filled), ' ') + "] " + percent;
  if (seconds >= kSecondsToGuess && part > 0) {
    const auto left = std::llround(seconds / part - seconds);
    const std::string minutes = left >= 60 ? std::to_string(left / 60) + " min " : "";
    line += ", " + minutes + std::to_string(left % 60) + " s left";
  }
  return line;
}

Progress::Progress(uint64_t total)
    : total_(total), is_shown_(isatty(STDERR_FILENO) != 0), drawn_(begin_) {}

Progress::~Progress() {
  if (any_) {
    fputs("\r\033[K", stderr);
    fflush(stderr);
  }
}

void Progress::Advance(uint64_t bytes) {
  done_ += bytes;
  const Clock::time_point now = is_shown_ ? Clock::now() : drawn_;
  if (!is_shown_ || now - drawn_ < kRedraw) {
    return;
  }
  drawn_ = now;
  any_ = true;
  const double seconds = std::chrono::duration<double>(now - begin_).count();
  fprintf(stderr, "\r%s\033[K", ProgressLine(done_, total_, seconds).c_str());
  fflush(stderr);
}

}  // namespace bloom_lfs::tool
