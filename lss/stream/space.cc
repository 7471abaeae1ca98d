#include "lss/stream/space.h"

#include <algorithm>
#include <chrono>

#include "lss/base/zeros.h"

namespace lss {
namespace {

// Small, so that a sync behind one of these writes does not wait long; larger for streams that use
// up so much that they wait for the device anyway.
constexpr uint64_t kZeroWriteBytesMin = 256 << 10;
constexpr uint64_t kZeroWriteBytesMax = kZerosBytes;
constexpr uint64_t kFirstChunkBytes = 256 << 10;
// With a predecessor to go by. Not its own last step at once: the first syncs wait for this one.
constexpr uint64_t kFirstKnownChunkBytes = 1 << 20;
constexpr uint64_t kSizeStepBytes = 32 << 20;
// A chunk used up faster than this makes the next one twice as long.
constexpr int64_t kFastChunkNs = 1'000'000'000;

int64_t NowNs() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

Space::Space(Device* device, const StoreOptions& options)
    : device_(device),
      allocation_step_bytes_(options.allocation_step_bytes),
      frontier_bytes_max_(options.frontier_bytes),
      expected_chunk_bytes_(options.predecessor.frontier_chunk_bytes),
      expected_end_(options.predecessor.bytes == 0
                        ? kNothing
                        : PageCeil(options.predecessor.bytes) + kFirstChunkBytes) {}

Status Space::Allocate(Address end) {
  const std::lock_guard<std::mutex> lock(allocating_);
  const Address from = allocated();
  if (end <= from) {
    return Status::Ok();
  }
  const Address needed = PageCeil(end);
  const Address step_end = std::max(needed, from + allocation_step_bytes_);
  Status status = device_->Allocate(from, step_end - from);
  if (status.ok()) {
    RaiseAllocated(step_end);
  } else if (needed < step_end) {
    // Nearly full: take what is needed and no more.
    status = device_->Allocate(from, needed - from);
    if (status.ok()) {
      RaiseAllocated(needed);
    }
  }
  return status;
}

Status Space::Reserve(Address offset, uint64_t length) {
  const std::lock_guard<std::mutex> lock(allocating_);
  const Address end = PageCeil(offset + length);
  const Address from = allocated();
  if (end <= from) {
    return Status::Ok();
  }
  Status status = device_->Allocate(from, end - from);
  if (status.ok()) {
    RaiseAllocated(end);
  }
  return status;
}

void Space::RaiseAllocated(Address end) { allocated_.store(end, std::memory_order_release); }

Status Space::PrepareForWrite(Address end) {
  const Address page_end = PageCeil(end);
  std::unique_lock<std::mutex> lock(mutex_);
  zeroing_done_.wait(lock, [&] { return page_end <= zeroing_from_; });
  if (page_end <= size_) {
    return Status::Ok();
  }
  // From here to the write there are zeros behind the tail (C6).
  // Well ahead at once, so that this happens rarely; but not over everything that is allocated,
  // which may be a gigabyte that tools without the plugin would read as zeros.
  const Address size = std::max(page_end, std::min(allocated(), page_end + kSizeStepBytes));
  Status status = device_->SetSize(size);
  if (status.ok()) {
    size_ = size;
  }
  return status;
}

bool Space::FrontierDue(Address end) {
  const std::lock_guard<std::mutex> lock(mutex_);
  // Where the predecessor ended there is nothing to prepare for until the stream gets past it.
  const uint64_t lead =
      frontier_ >= expected_end_ ? kFirstChunkBytes : std::max(chunk_bytes_, kPageBytes);
  if (frontier_bytes_max_ == 0 || frontier_requested_ || finished_ ||
      end < retired_below_.load(std::memory_order_relaxed) || end + lead <= frontier_) {
    return false;
  }
  frontier_requested_ = true;
  return true;
}

void Space::ChooseChunkBytesLocked() {
  const int64_t now_ns = NowNs();
  if (chunk_bytes_ == 0) {
    chunk_bytes_ =
        std::max(kFirstChunkBytes, std::min(expected_chunk_bytes_, kFirstKnownChunkBytes));
  } else if (chunk_bytes_ < expected_chunk_bytes_) {
    chunk_bytes_ = expected_chunk_bytes_;
  } else if (now_ns - last_chunk_ns_ < kFastChunkNs) {
    chunk_bytes_ *= 2;
  }
  last_chunk_ns_ = now_ns;
  // Half, because the next chunk starts when less than one is left.
  chunk_bytes_ = std::min(chunk_bytes_, PageCeil(frontier_bytes_max_ / 2));
  largest_chunk_bytes_ = std::max(largest_chunk_bytes_, chunk_bytes_);
}

Space::Range Space::NextChunkLocked(Address tail) {
  if (std::max(tail, frontier_) >= expected_end_) {
    // Longer than its predecessor: it begins to find out for itself.
    expected_end_ = kNothing;
    expected_chunk_bytes_ = 0;
    chunk_bytes_ = 0;
  }
  ChooseChunkBytesLocked();
  const bool outrun = tail > frontier_;
  const Address from =
      outrun ? tail + (frontier_ == 0 ? 0 : PageFloor(chunk_bytes_ / 2)) : frontier_;
  // Zeros behind the end of a log are written for nothing, and its successor waits for the device.
  const Address to = from + chunk_bytes_;
  return {from, from < expected_end_ ? std::min(to, expected_end_) : to};
}

Status Space::ZeroAhead(const std::function<Address()>& appended_end) {
  std::unique_lock<std::mutex> lock(mutex_);
  // Every write that passed PrepareForWrite before now ends at or below the appended end, and every
  // later one that reaches into the range waits there; so zeros never meet data.
  const Address tail = appended_end();
  const Address retired_below = retired_below_.load(std::memory_order_relaxed);
  if (finished_ || tail < retired_below) {
    frontier_requested_ = false;
    return Status::Ok();
  }
  const Range range = NextChunkLocked(PageCeil(tail));
  zeroing_from_ = range.from;
  lock.unlock();

  // A disk without room for zeros is no error of the stream: its own blocks are allocated. The same
  // error from a write or a sync is one: it may be about the stream's bytes.
  Status status = Reserve(range.from, range.to - range.from);
  const bool no_room = status.code() == Status::Code::kNoSpace;
  if (status.ok()) {
    status = WriteZeros(range, retired_below);
  }

  lock.lock();
  zeroing_from_ = kNothing;
  frontier_requested_ = false;
  lock.unlock();
  zeroing_done_.notify_all();
  return no_room ? Status::Ok() : status;
}

Status Space::WriteZeros(const Range& range, Address retired_below) {
  // Blocks and size first: then the writes below change neither and let syncs pass beside them.
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (range.to > size_) {
      if (Status status = device_->SetSize(range.to); !status.ok()) {
        return status;
      }
      size_ = range.to;
    }
  }
  const uint64_t step =
      std::clamp(PageFloor((range.to - range.from) / 8), kZeroWriteBytesMin, kZeroWriteBytesMax);
  for (Address at = range.from; at < range.to; at += step) {
    if (retired_below_.load(std::memory_order_relaxed) != retired_below) {
      return Status::Ok();
    }
    const iovec piece = {const_cast<char*>(Zeros()), std::min(step, range.to - at)};
    if (Status status = device_->Write({piece}, at, WriteKind::kPlain); !status.ok()) {
      return status;
    }
  }
  // The frontier counts only when the blocks' metadata is on the device too (C7).
  Status status = device_->Sync();
  if (status.ok()) {
    const std::lock_guard<std::mutex> lock(mutex_);
    frontier_ = range.to;
  }
  return status;
}

void Space::Retire(Address end) { retired_below_.store(end + 1, std::memory_order_relaxed); }

uint64_t Space::largest_chunk_bytes() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return largest_chunk_bytes_;
}

Status Space::CutTo(Address exact_size) {
  std::unique_lock<std::mutex> lock(mutex_);
  zeroing_done_.wait(lock, [&] { return zeroing_from_ == kNothing; });
  // Not before the wait: the chunk under way may still have to take its blocks.
  const std::lock_guard<std::mutex> allocating(allocating_);
  if (Status status = device_->SetSize(exact_size); !status.ok()) {
    return status;
  }
  size_ = exact_size;
  frontier_ = std::min(frontier_, PageFloor(exact_size));
  // Cutting has freed the blocks behind; an append may already count on them.
  const Address end = allocated();
  const Address from = PageCeil(exact_size);
  if (end <= from) {
    return Status::Ok();
  }
  Status status = device_->Allocate(from, end - from);
  if (status.code() == Status::Code::kNoSpace) {
    // Somebody else has taken them. All that was appended has its blocks, so nothing is wrong yet;
    // should an append be under way, its write will say so.
    allocated_.store(from, std::memory_order_release);
    return Status::Ok();
  }
  return status;
}

void Space::StopZeroing() {
  std::unique_lock<std::mutex> lock(mutex_);
  finished_ = true;
  zeroing_done_.wait(lock, [&] { return zeroing_from_ == kNothing; });
}

Status Space::Finish(Address exact_size) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (size_ == exact_size && allocated() <= PageCeil(exact_size)) {
    return Status::Ok();
  }
  size_ = exact_size;
  return device_->SetSize(exact_size);
}

Address Space::frontier() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return frontier_;
}

}  // namespace lss
