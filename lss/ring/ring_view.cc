#include "lss/ring/ring_view.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "lss/base/boot_id.h"
#include "lss/base/crc32c.h"
#include "lss/base/posix_file.h"
#include "lss/ring/merged_read.h"

namespace lss {
namespace {

bool AllZero(const char* data, size_t size) {
  return std::all_of(data, data + size, [](char c) { return c == 0; });
}

}  // namespace

Status RingView::Open(const std::string& path, std::unique_ptr<RingView>* result) {
  std::unique_ptr<RingView> view(new RingView());
  view->path_ = path;
  view->fd_ = UniqueFd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!view->fd_.valid()) {
    return Status::FromErrno("open", path, -1, errno);
  }
  struct stat st = {};
  if (fstat(view->fd_.get(), &st) != 0) {
    return Status::FromErrno("stat", path, -1, errno);
  }
  view->file_bytes_ = S_ISREG(st.st_mode) ? static_cast<uint64_t>(st.st_size) : 0;
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

bool RingView::OwnerAlive() const {
  // A shared lock is refused exactly while an owner holds the exclusive one; given back at once,
  // and never asked for by owners, so two viewers do not take each other for an owner.
  if (flock(fd_.get(), LOCK_SH | LOCK_NB) == 0) {
    flock(fd_.get(), LOCK_UN);
    return false;
  }
  return errno == EWOULDBLOCK;
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

bool RingView::SameBoot() const {
  return std::memcmp(header_->fixed.boot_id, BootId(), kBootIdBytes) == 0;
}

bool RingView::LiveWordsAgree() const {
  const uint32_t state = header_->state.load(std::memory_order_acquire);  // P11
  bool intact = state == static_cast<uint32_t>(RingState::kLive) ||
                state == static_cast<uint32_t>(RingState::kClosed);
  intact = intact && header_->committed.intact() && header_->hi_stable.intact() &&
           header_->durable.intact() && header_->heartbeat_ms.intact();
  for (uint32_t i = 0; i < header_->fixed.buffer_count; ++i) {
    intact = intact && header_->base[i].intact();
  }
  return intact && durable() <= hi_stable() && durable() <= committed() && HoldsUnwritten() &&
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
bool RingView::HoldsUnwritten() const {
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
  FileAndRing(int fd, const RingView& ring) : fd_(fd), ring_(ring) {}
  Address hi_stable() const override { return ring_.hi_stable(); }
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
};

}  // namespace

Status ReadMerged(int fd, const RingView& ring, Address from, size_t length, Address limit,
                  char* destination, size_t* read) {
  return ReadMerged(FileAndRing(fd, ring), from, length, limit, destination, read);
}

}  // namespace lss
