#include "lss/ring/ring_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstring>
#include <new>

#include "lss/base/crc32c.h"
#include "lss/base/file_system_kind.h"
#include "lss/base/posix_file.h"
#include "lss/base/zeros.h"
#include "lss/ring/ring_access.h"
#include "lss/ring/ring_place.h"
#include "lss/ring/ring_view.h"

namespace lss {
namespace {

// Another process may remove the empty directory between our opening it and our use of it.
constexpr int kDirectoryAttempts = 100;

// posix_fallocate would write zeros where the file system cannot allocate; that is what we want:
// a page of the mapping without a block behind it would be a SIGBUS on a full disk.
Status AllocateBlocks(int fd, const std::string& path, uint64_t from, uint64_t bytes) {
  rlimit limit = {};
  if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && from + bytes > limit.rlim_cur) {
    return Status::FromErrno("allocate", path, 0, EFBIG);  // to try would end the process: SIGXFSZ
  }
  const int error = posix_fallocate(fd, static_cast<off_t>(from), static_cast<off_t>(bytes));
  return error == 0 ? Status::Ok() : Status::FromErrno("allocate", path, 0, error);
}

// Where there is no room for it, the ring does without.
void TakeReserve(int fd, const std::string& path, uint64_t ring_bytes, uint64_t reserve_bytes) {
  if (!AllocateBlocks(fd, path, ring_bytes, reserve_bytes).ok()) {
    (void)!ftruncate(fd, static_cast<off_t>(ring_bytes));
  }
}

// Fails while a ring is in it, which is meant.
void RemoveEmptyPlace(int directory, const std::string& name) {
  const UniqueFd parent(openat(directory, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (parent.valid()) {
    unlinkat(parent.get(), name.c_str(), AT_REMOVEDIR);
  }
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
  const bool holds_unwritten =
      ring->header_state() == HeaderState::kWhole && ring->HoldsUnwritten();
  return holds_unwritten ? Status::InvalidArgument(
                               "ring " + ring_path +
                               " holds bytes that its stream does not have; recover it, or move "
                               "the ring away to give them up")
                         : Status::Ok();
}

}  // namespace

Status RingMemory::Create(const std::string& directory, const RingTarget& target,
                          const RingOptions& options, std::unique_ptr<RingMemory>* result) {
  const bool is_file = target.id.kind == StreamId::Kind::kFile;
  const std::string path = directory + "/" + RingFileName(target.id);
  for (int attempt = 0;; ++attempt) {
    RingPlace place;
    Status status = RingPlace::OpenOrCreate(
        directory, is_file ? target.id.file.access : FileAccess{geteuid(), getegid(), 0600},
        &place);
    if (status.ok()) {
      status = CheckNobodyNeeds(path, target.id);
    }
    if (!status.ok()) {
      return status;
    }
    std::unique_ptr<RingMemory> ring(new RingMemory());
    ring->path_ = path;
    status = ring->CreateIn(place.fd(), target, options);
    if (status.ok()) {
      *result = std::move(ring);
      return status;
    }
    if (status.code() != Status::Code::kNotFound || attempt == kDirectoryAttempts) {
      return status;
    }
    // The last ring in it has gone, and the directory with it.
  }
}

Status RingMemory::CreateIn(int directory, const RingTarget& target, const RingOptions& options) {
  const std::string name = BaseNameOf(path_);
  const std::string unfinished = name + kUnfinishedSuffix;
  const FileAccess log = target.id.kind == StreamId::Kind::kFile
                             ? target.id.file.access
                             : FileAccess{geteuid(), getegid(), 0600};
  Status status = MakeFile(directory, unfinished, log);
  if (status.ok()) {
    status = RingLock::Take(fd_.get(), path_, identity_, RingLock::Purpose::kOwn, &lock_);
  }
  if (status.ok()) {
    status = MapAndPublish(target, options);
  }
  if (status.ok()) {
    const MutexLock names(RingNamesMutex(identity_.device));
    // A leftover of this inode number belongs to a file that is gone: the number was given out
    // anew.
    if (renameat(directory, unfinished.c_str(), directory, name.c_str()) != 0) {
      status = Status::FromErrno("rename", path_, -1, errno);
    }
  }
  if (!status.ok() && fd_.valid()) {
    removed_ = true;
    unlinkat(directory, unfinished.c_str(), 0);
    RemoveEmptyPlace(directory, BaseNameOf(DirectoryOf(path_)));
  }
  return status;
}

// Closed to everybody else until it is known who may read the log.
Status RingMemory::MakeFile(int directory, const std::string& name, const FileAccess& log) {
  unlinkat(directory, name.c_str(), 0);  // of somebody who was killed at it
  fd_ = UniqueFd(
      openat(directory, name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd_.valid()) {
    return Status::FromErrno("create", path_, -1, errno);
  }
  uint64_t size = 0;
  if (Status status = IdentifyFd(fd_.get(), path_, &identity_, &size); !status.ok()) {
    return status;
  }
  if (identity_.access.uid != log.uid || identity_.access.gid != log.gid) {
    // Only root may give it away; a member of the log's group may at least give it to the group.
    if (fchown(fd_.get(), log.uid, log.gid) == 0 ||
        fchown(fd_.get(), static_cast<uid_t>(-1), log.gid) == 0) {
      if (Status status = IdentifyFd(fd_.get(), path_, &identity_, &size); !status.ok()) {
        return status;
      }
    }
  }
  const uint32_t mode = RingMode(log, identity_.access.gid);
  return mode == identity_.access.mode || fchmod(fd_.get(), mode) == 0
             ? Status::Ok()
             : Status::FromErrno("chmod", path_, -1, errno);
}

Status RingMemory::MapAndPublish(const RingTarget& target, const RingOptions& options) {
  buffer_bytes_ = options.buffer_bytes;
  buffer_count_ = options.buffer_count;
  const uint64_t bytes = RingFileBytes(options.buffer_bytes, options.buffer_count);
  AvoidCopyOnWrite(fd_.get());
  Status status = AllocateBlocks(fd_.get(), path_, 0, bytes);
  if (status.ok()) {
    TakeReserve(fd_.get(), path_, bytes,
                RingReserveBytes(options.buffer_bytes, options.buffer_count));
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
  StoreStreamId(target.id, &fixed);
  std::memcpy(fixed.boot_id, BootId(), kBootIdBytes);
  fixed.owner_pid = static_cast<uint32_t>(getpid());
  header->fixed = fixed;
  StoreStreamName(target.name, &header->name);
  StoreRingSelf(identity_, &header->self);
  // Relaxed, these and the bases: the checksum publishes them.
  words_->committed.store(target.size, std::memory_order_relaxed);
  words_->hi_stable.store(target.size, std::memory_order_relaxed);
  words_->durable.store(0, std::memory_order_relaxed);
  header->state.store(static_cast<uint32_t>(RingState::kLive), std::memory_order_relaxed);
  header->sibling_max.store(0, std::memory_order_relaxed);
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

RingMemory::~RingMemory() = default;

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
  // Page by page: MADV_POPULATE_WRITE is faster, but while it waits for the file system (frozen, or
  // a journal that is slow) no thread of the process can map or unmap anything.
  const uint64_t end = PageCeil(from + length);
  for (uint64_t at = PageFloor(from); at < end && !failed(); at += kPageBytes) {
    AwaitThaw();
    TouchForWriting(buffer(index) + at);
  }
}

void RingMemory::GiveReserveBack() const {
  // Never made longer: see PrefaultUnused.
  struct stat st = {};
  if (fstat(fd_.get(), &st) == 0 && static_cast<uint64_t>(st.st_size) > mapping_->bytes()) {
    (void)!ftruncate(fd_.get(), static_cast<off_t>(mapping_->bytes()));
  }
}

void RingMemory::Remove() {
  if (removed_) {
    return;
  }
  const UniqueFd directory = OpenDirectory();
  if (directory.valid()) {  // otherwise gone, and the ring with it; or recovery removes it
    RemoveFrom(directory.get());
  }
}

void RingMemory::RemoveFrom(int directory) {
  removed_ = true;
  const std::string name = BaseNameOf(path_);
  {
    const MutexLock names(RingNamesMutex(identity_.device));
    // The file may have been emptied and opened anew meanwhile; then the name is the new ring's.
    struct stat ours = {};
    struct stat named = {};
    if (fstat(fd_.get(), &ours) != 0 ||
        fstatat(directory, name.c_str(), &named, AT_SYMLINK_NOFOLLOW) != 0 ||
        ours.st_ino != named.st_ino) {
      return;
    }
    unlinkat(directory, name.c_str(), 0);
  }
  RemoveEmptyPlace(directory, BaseNameOf(DirectoryOf(path_)));
}

}  // namespace lss
