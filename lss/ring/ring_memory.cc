#include "lss/ring/ring_memory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <climits>
#include <cstring>
#include <new>

#include "lss/base/crc32c.h"
#include "lss/base/posix_file.h"
#include "lss/base/zeros.h"
#include "lss/ring/ring_view.h"

namespace lss {
namespace {

// Another process may remove the empty directory between our mkdir and our use of it.
constexpr int kDirectoryAttempts = 100;

int FlockRetrying(int fd, int operation) {
  int result = 0;
  do {
    result = flock(fd, operation);
  } while (result != 0 && errno == EINTR);
  return result;
}

// posix_fallocate would write zeros where the file system cannot allocate; that is what we want:
// a page of the mapping without a block behind it would be a SIGBUS on a full disk.
Status AllocateBlocks(int fd, const std::string& path, uint64_t bytes) {
  const int error = posix_fallocate(fd, 0, static_cast<off_t>(bytes));
  return error == 0 ? Status::Ok() : Status::FromErrno("allocate", path, 0, error);
}

Status CheckNobodyNeeds(const std::string& ring_path, const StreamId& target) {
  std::unique_ptr<RingView> ring;
  if (target.kind == StreamId::Kind::kFile || !RingView::Open(ring_path, &ring).ok()) {
    return Status::Ok();
  }
  if (ring->OwnerAlive()) {
    return Status::InvalidArgument("ring " + ring_path + " is in use by process " +
                                   std::to_string(ring->owner_pid()) +
                                   "; a stream has one writer at a time");
  }
  const bool holds_unwritten = ring->header_state() == HeaderState::kWhole && !ring->closed() &&
                               ring->committed() > ring->hi_stable();
  return holds_unwritten ? Status::InvalidArgument(
                               "ring " + ring_path +
                               " holds bytes that its stream does not have; recover it, or move "
                               "the ring away to give them up")
                         : Status::Ok();
}

}  // namespace

RingDirectoryLock::~RingDirectoryLock() {
  if (fd_.valid()) {
    flock(fd_.get(), LOCK_UN);
  }
}

Status RingDirectoryLock::Acquire(const std::string& directory, bool create,
                                  RingDirectoryLock* lock) {
  for (int attempt = 0; attempt < kDirectoryAttempts; ++attempt) {
    UniqueFd fd(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd.valid()) {
      if (errno != ENOENT || !create) {
        return Status::FromErrno("open", directory, -1, errno);
      }
      if (mkdir(directory.c_str(), 0755) != 0 && errno != EEXIST) {
        return Status::FromErrno("mkdir", directory, -1, errno);
      }
      continue;
    }
    if (FlockRetrying(fd.get(), LOCK_EX) != 0) {
      return Status::FromErrno("lock", directory, -1, errno);
    }
    struct stat st = {};
    if (fstat(fd.get(), &st) == 0 && st.st_nlink > 0) {
      lock->fd_ = std::move(fd);
      return Status::Ok();
    }
    // Removed while we waited for its lock; start again.
  }
  return Status::FromErrno("lock", directory, -1, EBUSY);
}

Status RingMemory::Create(const std::string& directory, const StreamId& target,
                          const RingOptions& options, std::unique_ptr<RingMemory>* result,
                          uint64_t size) {
  for (int attempt = 0;; ++attempt) {
    RingDirectoryLock lock;
    if (Status status = RingDirectoryLock::Acquire(directory, /*create=*/true, &lock);
        !status.ok()) {
      return status;
    }
    std::unique_ptr<RingMemory> ring(new RingMemory());
    const std::string name = RingFileName(target);
    ring->path_ = directory + "/" + name;
    if (Status status = CheckNobodyNeeds(ring->path_, target); !status.ok()) {
      return status;
    }
    // A leftover of this inode number belongs to a file that is gone: the number was given out
    // anew.
    if (unlinkat(lock.fd(), name.c_str(), 0) != 0 && errno != ENOENT) {
      return Status::FromErrno("unlink", ring->path_, -1, errno);
    }
    ring->fd_ =
        UniqueFd(openat(lock.fd(), name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
    if (!ring->fd_.valid() && errno == ENOENT && attempt < kDirectoryAttempts) {
      continue;  // the last ring in it has gone, and the directory with it
    }
    if (!ring->fd_.valid()) {
      return Status::FromErrno("create", ring->path_, -1, errno);
    }
    uint64_t size_now = 0;
    Status status = IdentifyFd(ring->fd_.get(), ring->path_, &ring->identity_, &size_now);
    if (status.ok()) {
      status = ring->MapAndPublish(target, options, size);
    }
    if (!status.ok()) {
      ring->RemoveLocked(lock.fd());
      return status;
    }
    *result = std::move(ring);
    return Status::Ok();
  }
}

Status RingMemory::MapAndPublish(const StreamId& target, const RingOptions& options,
                                 uint64_t size) {
  // Waits at most for a viewer, which holds its lock for a moment only.
  if (FlockRetrying(fd_.get(), LOCK_EX) != 0) {
    return Status::FromErrno("lock", path_, -1, errno);
  }
  buffer_bytes_ = options.buffer_bytes;
  buffer_count_ = options.buffer_count;
  const uint64_t bytes = RingFileBytes(options.buffer_bytes, options.buffer_count);
  Status status = AllocateBlocks(fd_.get(), path_, bytes);
  if (status.ok()) {
    status =
        SharedMapping::Map(fd_.get(), path_, bytes, SharedMapping::Access::kReadWrite, &mapping_);
  }
  if (!status.ok()) {
    return status;
  }
  // Only a hint. Without it the first touch of the header makes the kernel read the whole ring
  // ahead, megabytes of zeros that most short-lived logs never need (measured: 1.8 ms, and 0.7 ms
  // to drop them again).
  (void)madvise(mapping_->data(), bytes, MADV_RANDOM);
  auto* header = new (mapping_->data()) RingHeader;
  words_ = std::make_unique<OwnerWords>(header);
  RingHeaderFixed fixed = {};
  std::memcpy(fixed.magic, kRingMagic, sizeof(fixed.magic));
  fixed.buffer_bytes = options.buffer_bytes;
  fixed.buffer_count = options.buffer_count;
  fixed.write_mode = static_cast<uint32_t>(options.write_mode);
  StoreStreamId(target, &fixed);
  std::memcpy(fixed.boot_id, BootId(), kBootIdBytes);
  fixed.owner_pid = static_cast<uint32_t>(getpid());
  header->fixed = fixed;
  // Relaxed, these and the bases: the checksum publishes them.
  words_->committed.store(size, std::memory_order_relaxed);
  words_->hi_stable.store(size, std::memory_order_relaxed);
  words_->durable.store(0, std::memory_order_relaxed);
  header->state.store(static_cast<uint32_t>(RingState::kLive), std::memory_order_relaxed);
  Beat();
  for (uint32_t i = 0; i < kMaxBufferCount; ++i) {
    words_->base[i].store(kNoBase, std::memory_order_relaxed);
    header->base[i].store(kNoBase, std::memory_order_relaxed);
  }
  // The checksum makes the header count. Killed before this line: an unfinished ring that holds
  // nothing (C1, case R1 of recovery).
  header->fixed_checksum.store(Crc32c(0, &fixed, sizeof(fixed)),
                               std::memory_order_release);  // P12
  // Blocks that are allocated can be refused all the same, by a file system that copies on write.
  return failed() ? Failure() : Status::Ok();
}

Status RingMemory::Failure() const {
  struct stat st = {};
  if (fstat(fd_.get(), &st) == 0 && static_cast<uint64_t>(st.st_size) < mapping_->bytes()) {
    return Status::IoError("ring file " + path_ + " was cut from " +
                           std::to_string(mapping_->bytes()) + " to " + std::to_string(st.st_size) +
                           " bytes under its owner; leave the files in " + DirectoryOf(path_) +
                           " alone, and reopen the database");
  }
  struct statvfs fs = {};
  constexpr uint64_t kNearlyFullBytes = 1 << 20;
  const bool full = fstatvfs(fd_.get(), &fs) == 0 && fs.f_bavail * fs.f_frsize < kNearlyFullBytes;
  return Status::FromErrno("store into ring", path_, -1, full ? ENOSPC : EIO);
}

void RingMemory::Beat() const {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  header()->heartbeat_ms.store(
      static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count()),
      std::memory_order_relaxed);  // a time, which vouches for nothing
}

RingMemory::~RingMemory() {
  // Not left to close: a forked child may have a copy of the descriptor. That child, when it
  // destroys its copy of us, has no right to give up its parent's lock.
  if (fd_.valid() && !fork_guard_.InForkedChild()) {
    flock(fd_.get(), LOCK_UN);
  }
}

UniqueFd RingMemory::OpenDirectory() const {
  char now[PATH_MAX];
  const std::string link = "/proc/self/fd/" + std::to_string(fd_.get());
  const ssize_t length = readlink(link.c_str(), now, sizeof(now));
  const bool known = length > 0 && static_cast<size_t>(length) < sizeof(now);
  const std::string path = known ? std::string(now, static_cast<size_t>(length)) : path_;
  return UniqueFd(open(DirectoryOf(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

Status RingMemory::MakeHeaderDurable() {
  // msync of one page is an fsync of that range: it does not drag the ring's dirty buffers along,
  // and commits the new file with its directory entry.
  if (msync(mapping_->data(), kPageBytes, MS_SYNC) != 0) {
    return Status::FromErrno("msync", path_, 0, errno);
  }
  if (failed()) {
    return Failure();  // what was synced is not the file's page any more
  }
  const UniqueFd directory = OpenDirectory();
  if (!directory.valid() || fsync(directory.get()) != 0) {
    return Status::FromErrno("fsync", DirectoryOf(path_), -1, errno);
  }
  const UniqueFd parent(openat(directory.get(), "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!parent.valid() || fsync(parent.get()) != 0) {
    return Status::FromErrno("fsync", DirectoryOf(DirectoryOf(path_)), -1, errno);
  }
  return Status::Ok();
}

void RingMemory::PrefaultUnused(uint32_t index) const {
  // One large write makes the kernel use large folios, which fault faster and are faster to write
  // from (measured: 0.14 ms for 512 KiB instead of 0.5 ms; durable writes of 68 KiB 5% faster).
  // Its failure costs only that. Not into a file that was cut short: it would be whole again, with
  // zeros in place of what was cut off, and nobody would meet a fault.
  struct stat st = {};
  if (fstat(fd_.get(), &st) != 0 || static_cast<uint64_t>(st.st_size) < mapping_->bytes()) {
    return;
  }
  (void)!pwrite(fd_.get(), Zeros(), buffer_bytes_, buffer(index) - mapping_->data());
  Prefault(index);
}

void RingMemory::PrefaultRange(uint32_t index, uint64_t from, uint64_t length) const {
#ifdef MADV_POPULATE_WRITE
  // Only a hint: without it the first store to each page faults, which is correct and slower.
  const uint64_t begin = PageFloor(from);
  (void)madvise(buffer(index) + begin, PageCeil(from + length) - begin, MADV_POPULATE_WRITE);
#else
  (void)index;
  (void)from;
  (void)length;
#endif
}

void RingMemory::Remove() {
  if (removed_) {
    return;
  }
  // Under the directory's lock, or the directory might go from under a creation.
  const UniqueFd directory = OpenDirectory();
  if (!directory.valid()) {
    return;  // gone, and the ring with it; or no descriptor is left: recovery removes closed rings
  }
  (void)FlockRetrying(directory.get(), LOCK_EX);
  RemoveLocked(directory.get());
  flock(directory.get(), LOCK_UN);
}

void RingMemory::RemoveLocked(int directory) {
  removed_ = true;
  const std::string name = BaseNameOf(path_);
  // The file may have been emptied and opened anew meanwhile; then the name is the new ring's.
  struct stat ours = {};
  struct stat named = {};
  if (fstat(fd_.get(), &ours) != 0 || fstatat(directory, name.c_str(), &named, 0) != 0 ||
      ours.st_ino != named.st_ino) {
    return;
  }
  unlinkat(directory, name.c_str(), 0);
  const UniqueFd parent(openat(directory, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (parent.valid()) {
    // Fails while another ring is in it, which is meant.
    unlinkat(parent.get(), BaseNameOf(DirectoryOf(path_)).c_str(), AT_REMOVEDIR);
  }
}

}  // namespace lss
