#include "lss/ring/ring_budget.h"

#include <algorithm>
#include <string>
#include <utility>

#include "lss/base/types.h"
#include "lss/ring/ring_format.h"

namespace lss {
namespace {

// Rings that a share is measured for even if they do not exist yet.
constexpr uint64_t kExpectedRings = 32;
constexpr uint64_t kSmallest = RingFileBytes(kPageBytes, kMinBufferCount);
// Larger buffers are worth more than many of them, down to this size.
constexpr uint64_t kGoodBufferBytes = 64 << 10;

// The largest shape within `bytes`, which has room for the smallest ring.
void Shape(uint64_t bytes, uint32_t* buffer_bytes, uint32_t* buffer_count) {
  const uint64_t room = bytes - kPageBytes;
  const uint64_t eighth = PageFloor(room / 8);
  const uint64_t size = eighth >= kGoodBufferBytes ? eighth : PageFloor(room / 4);
  *buffer_bytes =
      static_cast<uint32_t>(std::clamp<uint64_t>(size, kPageBytes, uint64_t{*buffer_bytes}));
  *buffer_count = static_cast<uint32_t>(std::min<uint64_t>(*buffer_count, room / *buffer_bytes));
}

}  // namespace

Status RingBudget::ShareLocked(uint64_t limit_bytes, uint64_t* share) const {
  const uint64_t left = limit_bytes - std::min(limit_bytes, bytes_);
  if (left < kSmallest) {
    return Status::NoSpace(std::to_string(rings_) + " rings take " + std::to_string(bytes_) +
                           " of the " + std::to_string(limit_bytes) +
                           " bytes that they may take in this process; raise ring_budget_bytes");
  }
  // With three quarters the last of a thousand rings gets more than with the whole, because its
  // elders leave more, and the first ninety still get 2 MiB out of 512.
  *share = std::max(kSmallest, left * 3 / (4 * (rings_ + kExpectedRings)));
  return Status::Ok();
}

uint64_t RingBudget::bytes_in_use() const {
  const MutexLock lock(&mutex_);
  return bytes_;
}

Status RingGrant::Take(RingBudget* budget, uint64_t limit_bytes, uint32_t buffer_bytes,
                       uint32_t buffer_count, RingGrant* grant) {
  RingGrant taken;
  taken.buffer_bytes_ = buffer_bytes;
  taken.buffer_count_ = buffer_count;
  {
    const MutexLock lock(&budget->mutex_);
    if (limit_bytes > 0) {
      uint64_t share = 0;
      if (Status status = budget->ShareLocked(limit_bytes, &share); !status.ok()) {
        return status;
      }
      if (taken.file_bytes() > share) {
        Shape(share, &taken.buffer_bytes_, &taken.buffer_count_);
      }
    }
    taken.budget_ = budget;
    budget->bytes_ += taken.file_bytes();
    ++budget->rings_;
  }
  *grant = std::move(taken);
  return Status::Ok();
}

uint64_t RingGrant::file_bytes() const { return RingFileBytes(buffer_bytes_, buffer_count_); }

bool RingGrant::Halve() {
  const uint64_t before = file_bytes();
  ShrinkTo(before / 2);
  return file_bytes() < before;
}

void RingGrant::ShrinkTo(uint64_t bytes) {
  const uint64_t before = file_bytes();
  if (before <= bytes) {
    return;
  }
  Shape(std::max(kSmallest, bytes), &buffer_bytes_, &buffer_count_);
  if (budget_ != nullptr) {
    const MutexLock lock(&budget_->mutex_);
    budget_->bytes_ -= before - file_bytes();
  }
}

RingGrant::~RingGrant() {
  // The fork may have copied the mutex locked, and the child's copy of a budget counts nothing.
  if (budget_ != nullptr && !budget_->fork_guard_.InForkedChild()) {
    const MutexLock lock(&budget_->mutex_);
    budget_->bytes_ -= file_bytes();
    --budget_->rings_;
  }
}

RingGrant::RingGrant(RingGrant&& other) noexcept { *this = std::move(other); }

RingGrant& RingGrant::operator=(RingGrant&& other) noexcept {
  std::swap(budget_, other.budget_);
  std::swap(buffer_bytes_, other.buffer_bytes_);
  std::swap(buffer_count_, other.buffer_count_);
  return *this;
}

}  // namespace lss
