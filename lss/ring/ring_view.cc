#include "lss/ring/ring_view.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "lss/base/boot_id.h"
#include "lss/base/crc32c.h"
#include "lss/base/posix_file.h"
#include "lss/ring/merged_read.h"
#include "lss/ring/ring_access.h"
#include "lss/ring/ring_place.h"

namespace lss {
namespace {

bool AllZero(const char* data, size_t size) {
  return std::all_of(data, data + size, [](char c) { return c == 0; });
}

}  // namespace

Status RingView::Open(const std::string& path, std::unique_ptr<RingView>* result) {
  std::unique_ptr<RingView> view(new RingView());
  view->path_ = path;
  RingPlace place;
  if (Status status = RingPlace::Open(DirectoryOf(path), &place); !status.ok()) {
    return status;
  }
  view->ring_directory_ = place.access();
  view->directory_ = place.parent();
  bool regular = false;
  if (Status status = place.OpenFile(BaseNameOf(path), O_RDONLY, &view->fd_, &regular);
      !status.ok()) {
    return status;
  }
  if (!regular) {
    return Status::FromErrno("open", path, -1, ENOENT);
  }
  if (Status status = IdentifyFd(view->fd_.get(), path, &view->identity_, &view->file_bytes_);
      !status.ok()) {
    return status;
  }
  if (view->file_bytes_ >= kPageBytes) {
    // No ring is larger, whatever lies there under its name.
    const uint64_t bytes =
        std::min(view->file_bytes_, RingFileBytes(kMaxBufferBytes, kMaxBufferCount));
    if (Status status = SharedMapping::Map(view->fd_.get(), path, bytes,
                                           SharedMapping::Access::kRead, &view->mapping_);
        !status.ok()) {
      return status;
    }
    view->header_ = reinterpret_cast<const RingHeader*>(view->mapping_->data());
  }
  *result = std::move(view);
  return Status::Ok();
}

RingView::~RingView() {
  if (fd_.valid()) {
    CloseUnlessLocked(std::move(fd_), identity_);
  }
}

bool RingView::TrustedFor(const FileAccess& log) const {
  return IsTrustedRing(identity_.access, log, directory_) &&
         IsTrustedRingDirectory(ring_directory_, log, directory_);
}

HeaderState RingView::header_state() const {
  const HeaderState seen = ReadHeaderState();
  return failed() ? HeaderState::kDamaged : seen;  // zeros in place of what cannot be read
}

HeaderState RingView::ReadHeaderState() const {
  if (header_ == nullptr) {
    return file_bytes_ == 0 ? HeaderState::kUnpublished : HeaderState::kDamaged;
  }
  const uint32_t checksum = header_->fixed_checksum.load(std::memory_order_acquire);  // P12
  const RingHeaderFixed& fixed = header_->fixed;
  if (AllZero(reinterpret_cast<const char*>(&fixed), sizeof(fixed)) && checksum == 0) {
    return HeaderState::kUnpublished;
  }
  if (std::memcmp(fixed.magic, kRingMagic, sizeof(kRingMagic)) != 0) {
    return HeaderState::kDamaged;
  }
  const bool is_file = fixed.stream_kind == static_cast<uint32_t>(StreamId::Kind::kFile);
  if (fixed.format_version > (is_file ? kRingFormatVersion : kNamedRingFormatVersion)) {
    return HeaderState::kFutureVersion;  // before the checksum, whose place may have moved
  }
  if (checksum == 0) {
    return HeaderState::kUnpublished;  // killed just before the header counted
  }
  RingOptions shape;
  shape.buffer_bytes = fixed.buffer_bytes;
  shape.buffer_count = fixed.buffer_count;
  const bool whole = checksum == Crc32c(0, &fixed, sizeof(fixed)) && shape.Validate().ok() &&
                     file_bytes_ >= RingFileBytes(fixed.buffer_bytes, fixed.buffer_count);
  return whole ? HeaderState::kWhole : HeaderState::kDamaged;
}

bool RingView::IsOriginal() const {
  const FileIdentity self = LoadRingSelf(header_->self);
  return self.birth_time_ns != 0 && self.SameFile(identity_);
}

bool RingView::IsOriginalInPlace() const {
  return IsOriginal() && LoadRingSelf(header_->self).device == identity_.device;
}

bool RingView::SameBoot() const { return SameBootId(header_->fixed.boot_id, BootId()); }

bool RingView::LiveWordsAgree() const {
  const uint32_t state = header_->state.load(std::memory_order_acquire);  // P11
  bool intact = state == static_cast<uint32_t>(RingState::kLive) ||
                state == static_cast<uint32_t>(RingState::kClosed);
  intact = intact && header_->committed.intact() && header_->hi_stable.intact() &&
           header_->durable.intact() && header_->sibling_max.intact();
  for (uint32_t i = 0; i < header_->fixed.buffer_count; ++i) {
    intact = intact && header_->base[i].intact();
  }
  return intact && durable() <= hi_stable() && durable() <= committed() && HoldsWhatItMust() &&
         !failed();
}

Address RingView::Oldest() const {
  Address oldest = kNoBase;
  for (uint32_t i = 0; i < header_->fixed.buffer_count; ++i) {
    oldest = std::min(oldest, header_->base[i].load(std::memory_order_acquire));  // P9
  }
  return oldest;
}

Address RingView::End() const {
  Address end = 0;
  for (uint32_t i = 0; i < header_->fixed.buffer_count; ++i) {
    const Address base = header_->base[i].load(std::memory_order_acquire);  // P9
    if (base != kNoBase) {
      end = std::max(end, base + header_->fixed.buffer_bytes);
    }
  }
  return end;
}

// hi_stable may be above committed: a record larger than the ring was on its way.
bool RingView::HoldsWhatItMust() const {
  const MappedRing ring = mapped();
  const Address end = committed();
  Address at = hi_stable();
  // At most the ring's bytes, so damaged watermarks cannot make this long.
  while (at < end) {
    const Located piece = ring.Find(at);
    if (piece.length == 0) {
      return false;
    }
    at += piece.length;
  }
  return true;
}

namespace {

class FileAndRing final : public MergedSource {
 public:
  // `fixed_from`: of a dead owner's ring. Of a living owner's, the file counts up to its watermark.
  FileAndRing(int fd, const RingView& ring, const Address* fixed_from)
      : fd_(fd), ring_(ring), fixed_from_(fixed_from) {}
  Address hi_stable() const override {
    return fixed_from_ != nullptr ? *fixed_from_ : ring_.hi_stable();
  }
  Status ReadDevice(Address from, size_t length, char* destination, size_t* read) const override {
    return ReadFully(fd_, ring_.path(), from, length, destination, read);
  }
  size_t CopyOut(Address from, size_t length, Address limit, char* destination) const override {
    return ring_.CopyOut(from, length, limit, destination);
  }
  bool CopiesAreWhole() const override { return false; }  // its owner lives elsewhere
  std::string name() const override { return "the file of ring " + ring_.path(); }

 private:
  const int fd_;
  const RingView& ring_;
  const Address* const fixed_from_;
};

}  // namespace

Status ReadMerged(int fd, const RingView& ring, Address from, size_t length, Address limit,
                  char* destination, size_t* read) {
  return ReadMerged(FileAndRing(fd, ring, nullptr), from, length, limit, destination, read);
}

Status ReadMerged(int fd, const RingView& ring, const RingPart& part, Address from, size_t length,
                  char* destination, size_t* read) {
  return ReadMerged(FileAndRing(fd, ring, &part.from), from, length, part.end, destination, read);
}

}  // namespace lss
