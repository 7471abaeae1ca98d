#include "lss/ring/ring_view.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "lss/base/crc32c.h"
#include "lss/base/zeros.h"

namespace lss {
namespace {

Status ReadFile(int fd, const std::string& name, Address from, size_t length, char* destination,
                size_t* read) {
  *read = 0;
  while (*read < length) {
    const ssize_t got =
        pread(fd, destination + *read, length - *read, static_cast<off_t>(from + *read));
    if (got == 0) {
      break;
    }
    if (got > 0) {
      *read += static_cast<size_t>(got);
    } else if (errno != EINTR) {
      return Status::FromErrno("read", name, static_cast<int64_t>(from + *read), errno);
    }
  }
  return Status::Ok();
}

bool AllZero(const char* data, size_t size) {
  return std::all_of(data, data + size, [](char c) { return c == 0; });
}

}  // namespace

const char* NameOf(RingCase ring_case) {
  switch (ring_case) {
    case RingCase::kR1Unfinished:
      return "R1 unfinished";
    case RingCase::kR2OwnerAlive:
      return "R2 owner alive";
    case RingCase::kR3ProcessKilled:
      return "R3 process killed";
    case RingCase::kR4Closed:
      return "R4 closed";
    case RingCase::kR5MachineDown:
      return "R5 machine down";
    case RingCase::kR6Damaged:
      return "R6 damaged";
    case RingCase::kR7Foreign:
      return "R7 foreign";
    case RingCase::kR8FutureVersion:
      return "R8 future version";
    case RingCase::kR9FileGone:
      return "R9 file gone";
    case RingCase::kR10Contradiction:
      return "R10 contradiction";
  }
  return "unknown";
}

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
    void* mapping = mmap(nullptr, view->file_bytes_, PROT_READ, MAP_SHARED, view->fd_.get(), 0);
    if (mapping == MAP_FAILED) {
      return Status::FromErrno("map", path, -1, errno);
    }
    view->mapping_ = static_cast<const char*>(mapping);
    view->header_ = reinterpret_cast<const RingHeader*>(view->mapping_);
  }
  *result = std::move(view);
  return Status::Ok();
}

RingView::~RingView() {
  if (mapping_ != nullptr) {
    munmap(const_cast<char*>(mapping_), file_bytes_);
  }
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

RingCase RingView::header_case() const {
  const bool alive = OwnerAlive();
  const RingCase judged = JudgeHeader();
  if (judged != RingCase::kR3ProcessKilled) {
    // A live owner that has not published its header yet has accepted nothing either.
    const bool published = judged == RingCase::kR5MachineDown;
    return !alive || judged == RingCase::kR8FutureVersion ? judged
           : published                                    ? RingCase::kR2OwnerAlive
                                                          : RingCase::kR1Unfinished;
  }
  if (alive) {
    return RingCase::kR2OwnerAlive;  // its words change one by one; nobody may judge them
  }
  if (!LiveWordsAgree()) {
    return RingCase::kR6Damaged;
  }
  return closed() ? RingCase::kR4Closed : RingCase::kR3ProcessKilled;
}

RingCase RingView::JudgeHeader() const {
  if (header_ == nullptr) {
    return file_bytes_ == 0 ? RingCase::kR1Unfinished : RingCase::kR6Damaged;
  }
  const uint32_t checksum = header_->fixed_checksum.load(std::memory_order_acquire);
  const RingHeaderFixed& fixed = header_->fixed;
  if (AllZero(reinterpret_cast<const char*>(&fixed), sizeof(fixed)) && checksum == 0) {
    return RingCase::kR1Unfinished;
  }
  if (std::memcmp(fixed.magic, kRingMagic, sizeof(kRingMagic)) != 0) {
    return RingCase::kR6Damaged;
  }
  if (fixed.format_version > kRingFormatVersion) {
    return RingCase::kR8FutureVersion;  // before the checksum, whose place may have moved
  }
  if (checksum == 0) {
    return RingCase::kR1Unfinished;  // killed just before the header counted
  }
  StoreOptions limits;
  limits.buffer_bytes = fixed.buffer_bytes;
  limits.buffer_count = fixed.buffer_count;
  if (checksum != Crc32c(0, &fixed, sizeof(fixed)) || !limits.Validate().ok() ||
      file_bytes_ < RingFileBytes(fixed.buffer_bytes, fixed.buffer_count)) {
    return RingCase::kR6Damaged;
  }
  if (std::memcmp(fixed.boot_id, BootId(), kBootIdBytes) != 0) {
    return RingCase::kR5MachineDown;
  }
  return RingCase::kR3ProcessKilled;
}

bool RingView::LiveWordsAgree() const {
  const uint32_t state = header_->state.load(std::memory_order_acquire);
  bool intact = state == static_cast<uint32_t>(RingState::kLive) ||
                state == static_cast<uint32_t>(RingState::kClosed);
  intact = intact && header_->committed.intact() && header_->hi_stable.intact() &&
           header_->durable.intact() && header_->heartbeat_ms.intact();
  for (uint32_t i = 0; i < header_->fixed.buffer_count; ++i) {
    intact = intact && header_->base[i].intact();
  }
  return intact && durable() <= hi_stable() && durable() <= committed() && HoldsUnwritten();
}

Address RingView::Oldest() const {
  Address oldest = kNoBase;
  for (uint32_t i = 0; i < header_->fixed.buffer_count; ++i) {
    oldest = std::min(oldest, header_->base[i].load(std::memory_order_acquire));
  }
  return oldest;
}

Address RingView::End() const {
  Address end = 0;
  for (uint32_t i = 0; i < header_->fixed.buffer_count; ++i) {
    const Address base = header_->base[i].load(std::memory_order_acquire);
    if (base != kNoBase) {
      end = std::max(end, base + header_->fixed.buffer_bytes);
    }
  }
  return end;
}

// hi_stable may be above committed: a record larger than the ring was on its way.
bool RingView::HoldsUnwritten() const {
  const Address end = committed();
  Address at = hi_stable();
  // At most the ring's bytes, so damaged watermarks cannot make this long.
  while (at < end) {
    const Piece piece = Locate(at);
    if (piece.length == 0) {
      return false;
    }
    at += piece.length;
  }
  return true;
}

FileIdentity RingView::target() const {
  return {header_->fixed.device, header_->fixed.inode, header_->fixed.birth_time_ns};
}

RingView::Piece RingView::Locate(Address address) const {
  const uint32_t count = header_->fixed.buffer_count;
  const uint32_t buffer_bytes = header_->fixed.buffer_bytes;
  uint32_t found = count;
  Address found_base = 0;
  Address next_base = kNoBase;
  for (uint32_t i = 0; i < count; ++i) {
    const Address base = header_->base[i].load(std::memory_order_acquire);
    if (base == kNoBase) {
      continue;
    }
    if (base > address) {
      next_base = std::min(next_base, base);
    } else if (found == count || base > found_base) {
      found = i;
      found_base = base;
    }
  }
  const uint64_t inside = address - found_base;
  if (found == count || inside >= buffer_bytes) {
    return {nullptr, 0};
  }
  const char* data = mapping_ + kPageBytes + static_cast<uint64_t>(found) * buffer_bytes + inside;
  return {data, std::min(buffer_bytes - inside, next_base - address)};
}

size_t RingView::CopyOut(Address from, size_t length, Address limit, char* destination) const {
  size_t copied = 0;
  while (copied < length && from < limit) {
    const Piece piece = Locate(from);
    if (piece.length == 0) {
      break;
    }
    const size_t part = std::min<uint64_t>({piece.length, limit - from, length - copied});
    std::memcpy(destination + copied, piece.data, part);
    copied += part;
    from += part;
  }
  return copied;
}

Status ReadMerged(int fd, const RingView& ring, Address from, size_t length, Address limit,
                  char* destination, size_t* read) {
  *read = 0;
  while (*read < length && from < limit) {
    const Address stable = ring.hi_stable();
    const size_t wanted = std::min<uint64_t>(length - *read, limit - from);
    size_t got = 0;
    if (from < stable) {
      const size_t in_file = std::min<uint64_t>(wanted, stable - from);
      if (Status status = ReadFile(fd, ring.path(), from, in_file, destination + *read, &got);
          !status.ok()) {
        return status;
      }
      if (got == 0) {
        return Status::Corruption("the file of ring " + ring.path() + " ends before offset " +
                                  std::to_string(from) + ", which the ring says was written");
      }
    } else {
      got = ring.CopyOut(from, wanted, limit, destination + *read);
      // P5: the owner reopens a buffer only after it has raised the watermark, so if that still is
      // below our bytes, nobody wrote over them while we copied.
      std::atomic_thread_fence(std::memory_order_acquire);
      if (ring.hi_stable() > from) {
        continue;
      }
      if (got == 0) {
        return Status::Corruption("ring " + ring.path() + " does not hold offset " +
                                  std::to_string(from) + ", which it says was committed");
      }
    }
    *read += got;
    from += got;
  }
  return Status::Ok();
}

Status CheckAgreement(int fd, const std::string& name, const RingView& ring, bool* agrees) {
  constexpr size_t kStep = 64 << 10;
  static_assert(kStep <= kZerosBytes);
  FileIdentity identity;
  uint64_t size = 0;
  if (Status status = IdentifyFd(fd, name, &identity, &size); !status.ok()) {
    return status;
  }
  const Address stable = ring.hi_stable();
  const Address committed = ring.committed();
  // Below both the file has the bytes. (An interrupted recovery may have cut off what is above
  // `committed` already.)
  *agrees = size >= std::min(stable, committed);
  std::vector<char> in_file(kStep);
  std::vector<char> in_ring(kStep);
  for (Address at = std::min({ring.Oldest(), stable, committed}); *agrees && at < size;) {
    const size_t want = std::min<uint64_t>(kStep, size - at);
    const size_t held = ring.CopyOut(at, want, size, in_ring.data());
    // Behind the ring's end there can be megabytes of zeros: not page by page.
    const size_t unheld =
        at >= ring.End() ? want : std::min<uint64_t>(want, PageFloor(at) + kPageBytes - at);
    const size_t length = held > 0 ? held : unheld;
    size_t read = 0;
    if (Status status = ReadFile(fd, name, at, length, in_file.data(), &read); !status.ok()) {
      return status;
    }
    // Nearly always one of the two, and then there is no need to go byte by byte.
    const bool all_same = read <= held && std::memcmp(in_file.data(), in_ring.data(), read) == 0;
    const bool all_zeros = held == 0 && at >= std::min(stable, committed) &&
                           std::memcmp(in_file.data(), Zeros(), read) == 0;
    for (size_t i = all_same || all_zeros ? read : 0; i < read && *agrees; ++i) {
      const bool same = i < held && in_file[i] == in_ring[i];
      const bool must_be_same = at + i < std::min(stable, committed);
      // Of an append larger than the ring that never came to an end.
      const bool unknown = held == 0 && at + i < stable;
      *agrees = same || unknown || (!must_be_same && in_file[i] == 0);
    }
    at += length;
    if (read < length) {
      break;
    }
  }
  return Status::Ok();
}

}  // namespace lss
