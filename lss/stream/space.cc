#include "lss/stream/space.h"

#include <algorithm>
#include <cerrno>
#include <memory>

#include "lss/base/clock.h"
#include "lss/base/zeros.h"

namespace lss {
namespace {

// Small, so that a sync behind one of these writes does not wait long; larger for streams that use
// up so much that they wait for the device anyway.
constexpr uint64_t kZeroWriteBytesMin = 256 << 10;
constexpr uint64_t kZeroWriteBytesMax = kZerosBytes;
constexpr uint64_t kSizeStepBytes = 32 << 20;
// What kept zeros from being written may pass; asking with every sync would not help it.
constexpr int64_t kZeroingRestNs = 1'000'000'000;
// Zeros ahead are for speed. Of the last blocks of a file system they take none from the tail, nor
// from a neighbour.
constexpr uint64_t kZeroingShare = 8;

}  // namespace

Space::Space(Device* device, const StreamOptions& options, StreamFigures* figures)
    : device_(device),
      figures_(figures),
      allocation_step_bytes_(options.allocation_step_bytes),
      allocates_ahead_(options.allocate_ahead),
      plan_(options.frontier_bytes, Pace()) {}

void Space::Follow(const Pace& predecessor) {
  const MutexLock lock(&mutex_);
  plan_.Follow(predecessor);
}

Status Space::AllocateTo(Address from, Address end) {
  if (!allocates_ahead_) {
    return Status::Ok();
  }
  Status status = device_->Allocate(from, PageCeil(end) - from);
  return status.code() == Status::Code::kNoSpace ? status : Status::Ok();
}

Status Space::Allocate(Address end) {
  const MutexLock lock(&allocating_);
  const Address from = allocated();
  if (end <= from) {
    return Status::Ok();
  }
  const uint64_t limit = device_->SizeLimit();
  if (end > limit) {
    return Status::FromErrno("append to", device_->name(), static_cast<int64_t>(limit), EFBIG);
  }
  const Address needed = std::min(PageCeil(end), limit);
  const Address step_end = std::min(std::max(needed, from + allocation_step_bytes_), limit);
  Address reached = step_end;
  Status status = AllocateTo(PageFloor(from), step_end);
  if (!status.ok() && needed < step_end) {
    // Nearly full: take what is needed and no more.
    reached = needed;
    status = AllocateTo(PageFloor(from), needed);
  }
  if (status.ok()) {
    SetAllocated(reached);
  }
  return status;
}

Status Space::Reserve(Address offset, uint64_t length) {
  const MutexLock lock(&allocating_);
  const Address end = std::min(PageCeil(offset + length), device_->SizeLimit());
  const Address from = allocated();
  if (end <= from) {
    return Status::Ok();
  }
  Status status = AllocateTo(PageFloor(from), end);
  if (status.ok()) {
    SetAllocated(end);
  }
  return status;
}

void Space::SetAllocated(Address end) {
  allocated_.store(end, std::memory_order_release);  // P14
}

bool Space::MayWritePageOf(Address end) const {
  const Address page_end = PageCeil(end);
  {
    const MutexLock lock(&mutex_);
    if (page_end <= size_) {
      return true;
    }
  }
  return page_end <= device_->SizeLimit();
}

void Space::PrepareForWrite(Address end) {
  const Address page_end = PageCeil(end);
  const MutexLock lock(&mutex_);
  if (page_end > zeroing_from_) {
    AwaitZeroing(page_end);
  }
  if (page_end > size_) {
    GrowTo(page_end);
  }
}

void Space::AwaitZeroing(Address page_end) {
  const Stopwatch watch(&figures_->wait(WaitFor::kZeroing));
  while (page_end > zeroing_from_) {
    zeroing_done_.Wait(&mutex_);
  }
}

// From here to the write there are zeros behind the tail (C6).
void Space::GrowTo(Address page_end) {
  const uint64_t limit = device_->SizeLimit();
  // Well ahead at once, so that this happens rarely; but not over everything that is allocated,
  // which may be a gigabyte that tools without the plugin would read as zeros.
  const Address size =
      std::min(std::max(page_end, std::min(PageCeil(allocated()), page_end + kSizeStepBytes)),
               PageFloor(limit));
  if (size >= page_end) {
    // Refused, it is the write that grows the file.
    size_ = device_->SetSize(size).ok() ? size : page_end;
  }
}

bool Space::FrontierDue(Address end) {
  const MutexLock lock(&mutex_);
  if (frontier_requested_ || finished_ ||
      !plan_.Due(end, retired_below_.load(std::memory_order_relaxed)) ||
      (zeroing_rests_until_ns_ > 0 && SteadyNowNs() < zeroing_rests_until_ns_)) {
    return false;
  }
  frontier_requested_ = true;
  return true;
}

void Space::FrontierNotTaken() {
  const MutexLock lock(&mutex_);
  frontier_requested_ = false;
}

void Space::ZeroAhead(const std::function<Address()>& appended_end) {
  FrontierPlan::Range range = {};
  Address retired_below = 0;
  {
    const MutexLock lock(&mutex_);
    // Every write that passed PrepareForWrite before now ends at or below the appended end, and
    // every later one that reaches into the range waits there; so zeros never meet data.
    const Address tail = appended_end();
    retired_below = retired_below_.load(std::memory_order_relaxed);
    if (finished_ || resting_.load(std::memory_order_relaxed) ||
        FrontierPlan::Rests(tail, retired_below)) {
      frontier_requested_ = false;
      return;
    }
    range = plan_.NextChunk(PageCeil(tail), SteadyNowNs());
    zeroing_from_ = range.from;
  }
  Status written;
  const bool zeroed = HasRoomFor(range) && Reserve(range.from, range.to - range.from).ok() &&
                      WriteZeros(range, retired_below, &written);
  {
    const MutexLock lock(&mutex_);
    if (zeroed) {
      plan_.OnZeroed(range.to);
    }
    zeroing_rests_until_ns_ = zeroed || GivesUp(retired_below) ? 0 : SteadyNowNs() + kZeroingRestNs;
    if (written.code() == Status::Code::kNoSpace) {
      // Blocks that could not be had ahead, up to a quota: those that the zeros got are the tail's.
      (void)CutToLocked(range.from);
    }
    zeroing_from_ = kNothing;
    frontier_requested_ = false;
  }
  zeroing_done_.NotifyAll();
}

bool Space::HasRoomFor(const FrontierPlan::Range& range) const {
  return range.to <= device_->SizeLimit() &&
         range.to - range.from <= device_->FreeBytes() / kZeroingShare;
}

bool Space::GivesUp(Address retired_below) const {
  return resting_.load(std::memory_order_relaxed) ||
         retired_below_.load(std::memory_order_relaxed) != retired_below;
}

bool Space::WriteZeros(const FrontierPlan::Range& range, Address retired_below, Status* written) {
  // A sync of ours on the stream's own way would be told of write-backs that have failed, and the
  // stream's next one would not.
  std::unique_ptr<Device> aside;
  if (!device_->OpenAside(&aside).ok()) {
    return false;
  }
  // Blocks and size first: then the writes below change neither and let syncs pass beside them.
  {
    const MutexLock lock(&mutex_);
    if (range.to > size_) {
      if (!aside->SetSize(range.to).ok()) {
        return false;
      }
      size_ = range.to;
    }
  }
  const uint64_t step =
      std::clamp(PageFloor((range.to - range.from) / 8), kZeroWriteBytesMin, kZeroWriteBytesMax);
  for (Address at = range.from; at < range.to; at += step) {
    if (GivesUp(retired_below)) {
      return false;
    }
    const iovec piece = {const_cast<char*>(Zeros()), std::min(step, range.to - at)};
    *written = aside->Write({piece}, at, WriteKind::kPlain);
    if (!written->ok()) {
      return false;
    }
    figures_->written(WrittenAs::kZeros).Add(piece.iov_len);
  }
  // The frontier counts only when the blocks' metadata is on the device too (C7).
  return aside->Sync().ok();
}

void Space::Retire(Address end) { retired_below_.store(end + 1, std::memory_order_relaxed); }

uint64_t Space::largest_chunk_bytes() const {
  const MutexLock lock(&mutex_);
  return plan_.largest_chunk_bytes();
}

Status Space::Rest(Address exact_size) {
  resting_.store(true, std::memory_order_relaxed);
  return CutTo(exact_size);
}

Status Space::CutTo(Address exact_size) {
  const MutexLock lock(&mutex_);
  while (zeroing_from_ != kNothing) {
    zeroing_done_.Wait(&mutex_);
  }
  return CutToLocked(exact_size);
}

Status Space::CutToLocked(Address exact_size) {
  const MutexLock allocating(&allocating_);
  if (Status status = device_->SetSize(exact_size); !status.ok()) {
    return status;
  }
  size_ = exact_size;
  plan_.OnCut(exact_size);
  // Cutting has freed the blocks behind; an append may already count on them.
  const Address end = allocated();
  const Address from = PageCeil(exact_size);
  if (end <= from) {
    return Status::Ok();
  }
  if (!AllocateTo(from, end).ok()) {
    // Somebody else has taken them. All that was appended has its blocks, so nothing is wrong yet;
    // should an append be under way, its write will say so.
    SetAllocated(from);
  }
  return Status::Ok();
}

bool Space::ReachesBeyond(Address end) const {
  const MutexLock lock(&mutex_);
  return size_ > end;
}

void Space::StopZeroing() {
  const MutexLock lock(&mutex_);
  finished_ = true;
  while (zeroing_from_ != kNothing) {
    zeroing_done_.Wait(&mutex_);
  }
}

Status Space::Finish(Address exact_size) {
  const MutexLock lock(&mutex_);
  if (size_ == exact_size && allocated() <= PageCeil(exact_size)) {
    return Status::Ok();
  }
  size_ = exact_size;
  return device_->SetSize(exact_size);
}

Address Space::frontier() const {
  const MutexLock lock(&mutex_);
  return plan_.frontier();
}

}  // namespace lss
