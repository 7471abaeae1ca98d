#include "lss/ring/ring_budget.h"

#include <algorithm>
#include <mutex>
#include <string>
#include <utility>

#include "lss/options.h"
#include "lss/ring/ring_format.h"

namespace lss {
namespace {

// Rings that a share is measured for even if they do not exist yet.
constexpr uint64_t kExpectedRings = 32;
// Larger buffers are worth more than many of them, down to this size.
constexpr uint64_t kGoodBufferBytes = 64 << 10;

struct Use {
  std::mutex mutex;
  uint64_t bytes = 0;
  uint64_t rings = 0;
};

// Never destroyed: stores may be closed by later exit handlers.
Use& InUse() {
  static auto* const use = new Use;
  return *use;
}

// The largest shape within `bytes`, which has room for the smallest ring.
void Shape(uint64_t bytes, uint32_t* buffer_bytes, uint32_t* buffer_count) {
  const uint64_t room = bytes - kPageBytes;
  const uint64_t eighth = PageFloor(room / 8);
  const uint64_t size = eighth >= kGoodBufferBytes ? eighth : PageFloor(room / 4);
  *buffer_bytes =
      static_cast<uint32_t>(std::clamp<uint64_t>(size, kPageBytes, uint64_t{*buffer_bytes}));
  *buffer_count = static_cast<uint32_t>(std::min<uint64_t>(*buffer_count, room / *buffer_bytes));
}

// The most that the next ring may take. NoSpace if that is less than the smallest ring.
Status Share(const Use& use, uint64_t budget_bytes, uint64_t* share) {
  constexpr uint64_t kSmallest = RingFileBytes(kPageBytes, kMinBufferCount);
  const uint64_t left = budget_bytes - std::min(budget_bytes, use.bytes);
  if (left < kSmallest) {
    return Status::NoSpace(std::to_string(use.rings) + " rings take " + std::to_string(use.bytes) +
                           " of the " + std::to_string(budget_bytes) +
                           " bytes that they may take in this process; raise ring_budget_bytes");
  }
  // With three quarters the last of a thousand rings gets more than with the whole, because its
  // elders leave more, and the first sixteen still get 6 MiB out of 512.
  *share = std::max(kSmallest, left * 3 / (4 * (use.rings + kExpectedRings)));
  return Status::Ok();
}

}  // namespace

Status RingGrant::Take(uint64_t budget_bytes, uint32_t buffer_bytes, uint32_t buffer_count,
                       RingGrant* grant) {
  RingGrant taken;
  taken.buffer_bytes_ = buffer_bytes;
  taken.buffer_count_ = buffer_count;
  {
    Use& use = InUse();
    const std::lock_guard<std::mutex> lock(use.mutex);
    uint64_t bytes = RingFileBytes(buffer_bytes, buffer_count);
    if (budget_bytes > 0) {
      uint64_t share = 0;
      if (Status status = Share(use, budget_bytes, &share); !status.ok()) {
        return status;
      }
      if (bytes > share) {
        Shape(share, &taken.buffer_bytes_, &taken.buffer_count_);
        bytes = RingFileBytes(taken.buffer_bytes_, taken.buffer_count_);
      }
    }
    taken.bytes_ = bytes;
    use.bytes += bytes;
    ++use.rings;
  }
  *grant = std::move(taken);
  return Status::Ok();
}

RingGrant::~RingGrant() {
  if (bytes_ > 0) {
    Use& use = InUse();
    const std::lock_guard<std::mutex> lock(use.mutex);
    use.bytes -= bytes_;
    --use.rings;
  }
}

RingGrant::RingGrant(RingGrant&& other) noexcept
    : bytes_(std::exchange(other.bytes_, 0)),
      buffer_bytes_(other.buffer_bytes_),
      buffer_count_(other.buffer_count_) {}

RingGrant& RingGrant::operator=(RingGrant&& other) noexcept {
  std::swap(bytes_, other.bytes_);
  std::swap(buffer_bytes_, other.buffer_bytes_);
  std::swap(buffer_count_, other.buffer_count_);
  return *this;
}

uint64_t RingBytesInUse() {
  Use& use = InUse();
  const std::lock_guard<std::mutex> lock(use.mutex);
  return use.bytes;
}

}  // namespace lss
