#include "plugin/tool/doctor_file_system.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

#include "lss/base/file_system_kind.h"
#include "lss/base/page_buffer.h"
#include "lss/base/unique_fd.h"
#include "plugin/tool/doctor_device.h"
#include "plugin/tool/mount_table.h"

namespace bloom_lfs::tool {
namespace {

using lss::kPageBytes;
using lss::Status;

std::string DescribeErrno(int error_number) {
  const char* description = strerrordesc_np(error_number);
  return std::string(description != nullptr ? description : "error") + " (errno " +
         std::to_string(error_number) + ")";
}

// Another open file description of the same file.
lss::UniqueFd OpenProbeAgain(int fd, int flags) {
  return lss::UniqueFd(
      open(("/proc/self/fd/" + std::to_string(fd)).c_str(), flags | O_RDWR | O_CLOEXEC));
}

Status OpenDirectory(const std::string& directory, lss::UniqueFd* fd) {
  *fd = lss::UniqueFd(open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  return fd->valid() ? Status::Ok() : Status::FromErrno("open", directory, -1, errno);
}

void NameFileSystem(const struct statfs& facts, const std::optional<Mount>& mount,
                    FileSystemFacts* result) {
  const uint64_t type = static_cast<uint64_t>(facts.f_type) & UINT32_MAX;
  result->type = mount.has_value() ? mount->type : "of type " + std::to_string(type);
  result->mounted_from = mount.has_value() ? mount->source : "";
  result->options = mount.has_value() ? mount->options : "";
  result->in_memory = type == TMPFS_MAGIC || type == RAMFS_MAGIC;
  result->copy_on_write = !lss::OverwritesInPlace(type);
  result->free_bytes = static_cast<uint64_t>(facts.f_bavail) * static_cast<uint64_t>(facts.f_bsize);
  result->block_bytes = static_cast<uint64_t>(facts.f_bsize);
}

// Of a write that stops in the middle, which leaves no errno.
int WhyShort() {
  struct rlimit limit = {};
  const bool is_limited = getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur < kPageBytes;
  return is_limited ? EFBIG : ENOSPC;
}

// --- what statx tells ---

// Newer than the headers of some systems. <linux/stat.h> has their place.
constexpr unsigned kDirectIoAlignment = 0x2000;
constexpr size_t kMemoryAlignmentAt = 152;
constexpr size_t kOffsetAlignmentAt = 156;
static_assert(sizeof(struct statx) == 256, "the kernel's statx");

void AskStatx(int fd, FileSystemFacts* result) {
  struct statx stx = {};
  if (statx(fd, "", AT_EMPTY_PATH, STATX_BTIME | kDirectIoAlignment, &stx) != 0) {
    return;
  }
  result->birth_times = (stx.stx_mask & STATX_BTIME) != 0;
  if ((stx.stx_mask & kDirectIoAlignment) != 0) {
    result->direct_io.told = true;
    const auto* const bytes = reinterpret_cast<const char*>(&stx);
    std::memcpy(&result->direct_io.memory_alignment, bytes + kMemoryAlignmentAt, sizeof(uint32_t));
    std::memcpy(&result->direct_io.offset_alignment, bytes + kOffsetAlignmentAt, sizeof(uint32_t));
  }
}

// --- what a write tells ---

bool WriteDirect(int fd, const lss::PageBuffer& page, size_t length, std::string* refusal) {
  const ssize_t written = pwrite(fd, page.data(), length, 0);
  if (written != static_cast<ssize_t>(length)) {
    *refusal = DescribeErrno(written < 0 ? errno : EIO);
  }
  return written == static_cast<ssize_t>(length);
}

void TryDirectIo(int fd, const lss::PageBuffer& page, DirectIoFacts* result) {
  const int flags = fcntl(fd, F_GETFL);
  if (fcntl(fd, F_SETFL, flags | O_DIRECT) != 0) {
    result->refusal = DescribeErrno(errno);
    return;
  }
  result->works = WriteDirect(fd, page, kPageBytes, &result->refusal);
  if (result->works && !result->told) {
    std::string refusal;
    constexpr size_t kSectorBytes = 512;
    const bool sectors = WriteDirect(fd, page, kSectorBytes, &refusal);
    result->offset_alignment = static_cast<uint32_t>(sectors ? kSectorBytes : kPageBytes);
    result->memory_alignment = result->offset_alignment;
  }
  (void)fcntl(fd, F_SETFL, flags);
}

bool TryDurableFlag(int fd, const lss::PageBuffer& page) {
  const iovec piece = {page.data(), kPageBytes};
  return pwritev2(fd, &piece, 1, 0, RWF_DSYNC) == static_cast<ssize_t>(kPageBytes);
}

// A store into blocks that are there.
bool TrySharedMapping(int fd) {
  void* const memory = mmap(nullptr, kPageBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) {
    return false;
  }
  *static_cast<volatile char*>(memory) = 1;
  munmap(memory, kPageBytes);
  return true;
}

// --- locks: what one holds, another must not get ---

struct flock WholeFileLock() {
  struct flock lock = {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

void TryLocks(int fd, FileSystemFacts* result) {
  const lss::UniqueFd other = OpenProbeAgain(fd, 0);
  if (!other.valid()) {
    return;  // no /proc
  }
  struct flock whole = WholeFileLock();
  // A process has no quarrel with itself about its own locks; those of an open file have.
  const bool posix_held = fcntl(fd, F_SETLK, &whole) == 0;
  whole = WholeFileLock();
  const bool posix_seen = fcntl(other.get(), F_OFD_SETLK, &whole) != 0;
  result->posix_locks = posix_held && posix_seen;
  whole = WholeFileLock();
  whole.l_type = F_UNLCK;
  (void)fcntl(fd, F_SETLK, &whole);
  whole = WholeFileLock();
  const bool ofd_held = fcntl(other.get(), F_OFD_SETLK, &whole) == 0;
  whole = WholeFileLock();
  result->ofd_locks = ofd_held && fcntl(fd, F_OFD_SETLK, &whole) != 0;
  result->flock_locks = flock(fd, LOCK_EX | LOCK_NB) == 0 &&
                        flock(other.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

}  // namespace

Status LookAtFileSystem(const std::string& directory, FileSystemFacts* file_system,
                        DeviceFacts* device, PrivateFile::Name* name) {
  lss::UniqueFd directory_fd;
  struct statfs facts = {};
  Status status = OpenDirectory(directory, &directory_fd);
  if (status.ok() && fstatfs(directory_fd.get(), &facts) != 0) {
    status = Status::FromErrno("statfs", directory, -1, errno);
  }
  if (!status.ok()) {
    return status;
  }
  const std::optional<Mount> mount = FindMount(directory_fd.get());
  NameFileSystem(facts, mount, file_system);
  *device = LookAtDevice(directory_fd.get(), mount);
  file_system->journal = LookForJournal(file_system->type, *device);
  *name = NameForTrueCosts(static_cast<uint64_t>(facts.f_type));

  std::unique_ptr<PrivateFile> file;
  const lss::PageBuffer page(kPageBytes);
  status = page.data() != nullptr ? PrivateFile::Create(directory, PrivateFile::Name::kNone, &file)
                                  : Status::IoError("no memory for a buffer of 4 KiB");
  if (!status.ok()) {
    return status;
  }
  std::memset(page.data(), 'd', kPageBytes);
  if (const ssize_t written = pwrite(file->fd(), page.data(), kPageBytes, 0);
      written != static_cast<ssize_t>(kPageBytes)) {
    return Status::FromErrno("write to a file in", directory, 0, written < 0 ? errno : WhyShort());
  }
  file_system->nameless_files = file->was_nameless();
  file_system->allocates_ahead = fallocate(file->fd(), FALLOC_FL_KEEP_SIZE, 0, kPageBytes) == 0;
  file_system->shared_mapping = TrySharedMapping(file->fd());
  AskStatx(file->fd(), file_system);
  TryDirectIo(file->fd(), page, &file_system->direct_io);
  file_system->durable_flag = TryDurableFlag(file->fd(), page);
  TryLocks(file->fd(), file_system);
  return Status::Ok();
}

}  // namespace bloom_lfs::tool
