// When syncs stop waiting for a file, and when they wait for it again. Times are passed in: all are
// nanoseconds of one clock.
//
// Thread safety: none; its owner's.
#pragma once

#include <cstdint>

namespace lss {

struct FailoverLimits {
  int64_t failover_after_ns = 0;  // a sync waits for the file for so long
  int64_t failback_below_ns = 0;  // a sync of the file that is quicker counts as quick
  int64_t failback_after_ns = 0;  // after so long with none but quick ones the file is waited for
};

class FailoverPolicy {
 public:
  explicit FailoverPolicy(const FailoverLimits& limits) : limits_(limits) {}

  bool failed_over() const { return failed_over_; }
  // Until when a sync that begins now waits for the file alone.
  int64_t PatientUntil(int64_t now) const {
    return failed_over_ ? now : now + limits_.failover_after_ns;
  }
  // A sync has waited for so long in vain.
  void OnPatienceLost(int64_t now) {
    quick_since_ = kNever;
    if (!failed_over_) {
      failed_over_ = true;
      failed_over_since_ = now;
      ++switches_;
    }
  }
  // The file was synced, in [begin, end).
  void OnFileSynced(int64_t begin, int64_t end) {
    if (!failed_over_) {
      return;
    }
    if (end - begin >= limits_.failback_below_ns) {
      quick_since_ = kNever;
      return;
    }
    if (quick_since_ == kNever) {
      quick_since_ = begin;
    }
    if (end - quick_since_ >= limits_.failback_after_ns) {
      failed_over_ = false;
      failed_over_for_ += end - failed_over_since_;
      ++switches_;
    }
  }

  // To the side log and back.
  uint64_t switches() const { return switches_; }
  int64_t FailedOverFor(int64_t now) const {
    return failed_over_for_ + (failed_over_ ? now - failed_over_since_ : 0);
  }

 private:
  static constexpr int64_t kNever = INT64_MIN;

  const FailoverLimits limits_;
  bool failed_over_ = false;
  int64_t failed_over_since_ = 0;
  int64_t failed_over_for_ = 0;
  int64_t quick_since_ = kNever;
  uint64_t switches_ = 0;
};

}  // namespace lss
