#include "plugin/shown_file.h"

#include <chrono>

namespace bloom_lfs {
namespace {

constexpr int64_t kPollingMs = 1000;

}  // namespace

lss::Status ShownFile::Show(lss::LogStructuredStore* store, int64_t now_ms) {
  const int64_t before = shown_ms_.exchange(now_ms, std::memory_order_relaxed);
  const bool polled = before != kNever && now_ms - before < kPollingMs;
  return polled ? store->WriteOut() : store->Settle();
}

int64_t ShownFile::NowMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace bloom_lfs
