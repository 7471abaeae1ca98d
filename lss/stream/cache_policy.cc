#include "lss/stream/cache_policy.h"

#include <algorithm>

namespace lss {
namespace {

constexpr int64_t kMs = 1'000'000;
constexpr int64_t kSecond = 1000 * kMs;

// One wait of this length is enough: a device that keeps pace has written a batch long before.
constexpr int64_t kLongWaitNs = 20 * kMs;
// So are shorter ones that take more than a third of the time, over at least this long.
constexpr int64_t kShareWindowNs = 50 * kMs;
constexpr int64_t kShareOfTime = 3;
// Waits further apart have nothing to do with each other.
constexpr int64_t kWindowMaxNs = 500 * kMs;

// Longer each time that a stream is back soon: going past the cache and back costs a wait.
constexpr int64_t kHoldFirstNs = kSecond;
constexpr int64_t kHoldMaxNs = 64 * kSecond;

constexpr uint64_t kSyncsToGoPast = 3;

// What a batch past the cache may take.
constexpr int64_t kBatchNs = 10 * kMs;

// What `bytes` in `ns` come to in `per_ns`.
uint64_t Scaled(uint64_t bytes, int64_t ns, int64_t per_ns) {
  return static_cast<uint64_t>(static_cast<double>(bytes) * static_cast<double>(per_ns) /
                               static_cast<double>(std::max<int64_t>(ns, 1)));
}

bool HoldIsOver(const CacheRecord& record, int64_t now_ns) {
  return now_ns - record.since_ns >= record.hold_ns;
}

bool HasBecomeCalm(const CacheRecord& record, int64_t now_ns) {
  return HoldIsOver(record, now_ns) && record.stream_bytes_per_s <= record.device_bytes_per_s / 2;
}

}  // namespace

CachePolicy::CachePolicy(const CacheRecord& predecessor, int64_t now_ns)
    : record_(predecessor), measured_since_ns_(now_ns) {
  if (HasBecomeCalm(predecessor, now_ns)) {
    record_.through_cache = false;
  }
}

void CachePolicy::OnWaitBegins(int64_t now_ns, Address in_file) {
  if (window_began_ns_ < 0 || now_ns - window_began_ns_ > kWindowMaxNs) {
    window_began_ns_ = now_ns;
    window_in_file_ = in_file;
    waited_ns_ = 0;
  }
  waiting_since_ns_ = now_ns;
}

void CachePolicy::OnWaitEnds(int64_t now_ns) {
  waited_ns_ = WaitedNs(now_ns);
  waiting_since_ns_ = -1;
}

int64_t CachePolicy::WaitedNs(int64_t now_ns) const {
  return waited_ns_ + (waiting_since_ns_ < 0 ? 0 : now_ns - waiting_since_ns_);
}

bool CachePolicy::Outruns(const Facts& facts) const {
  // A stream that syncs within a lap of its ring waits for the device anyway.
  if (window_began_ns_ < 0 || facts.unsynced_bytes < facts.ring_bytes) {
    return false;
  }
  const bool long_wait = waiting_since_ns_ >= 0 && facts.now_ns - waiting_since_ns_ >= kLongWaitNs;
  const int64_t window_ns = facts.now_ns - window_began_ns_;
  return long_wait ||
         (window_ns >= kShareWindowNs && WaitedNs(facts.now_ns) * kShareOfTime >= window_ns);
}

void CachePolicy::OnThroughCache(int64_t now_ns, Address in_file) {
  const int64_t calm_ns = now_ns - (record_.since_ns + record_.hold_ns);
  const bool back_soon = record_.hold_ns > 0 && calm_ns < 2 * record_.hold_ns;
  record_.hold_ns = back_soon ? std::min(2 * record_.hold_ns, kHoldMaxNs) : kHoldFirstNs;
  record_.through_cache = true;
  record_.since_ns = now_ns;
  record_.device_bytes_per_s =
      window_began_ns_ < 0 ? 0
                           : Scaled(in_file - window_in_file_, now_ns - window_began_ns_, kSecond);
  measured_from_ = in_file;
  measured_since_ns_ = now_ns;
  syncs_ = 0;
  window_began_ns_ = -1;
}

bool CachePolicy::SyncsInSmallSteps(int64_t now_ns, Address accepted, uint64_t ring_bytes) const {
  return HoldIsOver(record_, now_ns) && syncs_ >= kSyncsToGoPast &&
         (accepted - measured_from_) / syncs_ <= ring_bytes / 2;
}

CacheRecord CachePolicy::Record(int64_t now_ns, Address accepted) const {
  CacheRecord record = record_;
  if (record.through_cache) {
    record.stream_bytes_per_s =
        Scaled(accepted - measured_from_, now_ns - measured_since_ns_, kSecond);
  }
  return record;
}

void BatchLimit::OnBatch(uint64_t bytes, int64_t took_ns) {
  if (took_ns > kBatchNs) {
    bytes_ = std::clamp(Scaled(bytes, took_ns, kBatchNs), buffer_bytes_, bytes_);
  } else if (bytes + buffer_bytes_ > bytes_ && bytes_ < UINT64_MAX / 2) {
    bytes_ += buffer_bytes_;
  }
}

}  // namespace lss
