#include "plugin/flush_watch.h"

namespace bloom_lfs {

bool FlushWatch::OnFlush() {
  Learn();
  const bool of_a_record = appended_ && !manual_;
  appended_ = false;
  if (of_a_record) {
    ++records_;
    return false;
  }
  last_bare_ = Bare{syncs_seen_, records_};
  return !expected_.has_value() || (*expected_ != kAnyCount && *expected_ != records_);
}

void FlushWatch::Learn() {
  const uint64_t syncs = syncs_.load(std::memory_order_relaxed);
  if (last_bare_.has_value()) {
    expected_ =
        syncs > last_bare_->syncs ? std::optional<uint64_t>(last_bare_->records) : std::nullopt;
    last_bare_.reset();
  }
  if (syncs != syncs_seen_) {
    syncs_seen_ = syncs;
    records_ = 0;
  }
}

}  // namespace bloom_lfs
