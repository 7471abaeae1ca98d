#include "lss/device/file_device.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>

#include "lss/base/file_system_kind.h"
#include "lss/base/posix_file.h"
#include "lss/device/async_writer.h"

namespace lss {
namespace {

std::string LinkTo(int fd) { return "/proc/self/fd/" + std::to_string(fd); }

bool SameInode(int fd, int other) {
  struct stat a = {};
  struct stat b = {};
  return fstat(fd, &a) == 0 && fstat(other, &b) == 0 && a.st_dev == b.st_dev &&
         a.st_ino == b.st_ino;
}

// Drops the first `bytes` from the pieces.
void Consume(std::vector<iovec>* pieces, size_t* first, uint64_t bytes) {
  while (bytes > 0) {
    iovec& piece = (*pieces)[*first];
    const size_t taken = std::min<uint64_t>(bytes, piece.iov_len);
    piece.iov_base = static_cast<char*>(piece.iov_base) + taken;
    piece.iov_len -= taken;
    bytes -= taken;
    if (piece.iov_len == 0) {
      ++*first;
    }
  }
}

uint64_t TotalLength(const std::vector<iovec>& pieces) {
  uint64_t total = 0;
  for (const iovec& piece : pieces) {
    total += piece.iov_len;
  }
  return total;
}

}  // namespace

Status FileDevice::Open(const std::string& path, OpenMode mode, WarningSink warn,
                        std::unique_ptr<FileDevice>* result) {
  if (access(path.c_str(), F_OK) != 0) {
    UniqueFd fd = CreateUnnamed(DirectoryOf(path));
    // Without /proc it could not be given a name later.
    if (fd.valid() && access(LinkTo(fd.get()).c_str(), F_OK) == 0) {
      *result = std::make_unique<FileDevice>(std::move(fd), path, std::move(warn));
      (*result)->unnamed_ = true;
      return Status::Ok();
    }
  }
  const int truncate = mode == OpenMode::kTruncate ? O_TRUNC : 0;
  int raw = -1;
  do {
    raw = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | truncate, 0644);
  } while (raw < 0 && errno == EINTR);
  if (raw < 0) {
    return Status::FromErrno("open", path, -1, errno);
  }
  UniqueFd fd(raw);
  struct stat st = {};
  if (fstat(raw, &st) != 0) {
    return Status::FromErrno("stat", path, -1, errno);
  }
  if (!S_ISREG(st.st_mode)) {
    return Status::InvalidArgument("open " + path + ": not a regular file");
  }
  *result = std::make_unique<FileDevice>(std::move(fd), path, std::move(warn));
  return Status::Ok();
}

Status FileDevice::Identify(StreamId* id, uint64_t* size) {
  FileIdentity identity;
  Status status = IdentifyFd(fd_.get(), name_, &identity, size);
  *id = identity;
  return status;
}

Status FileDevice::Publish() {
  if (unnamed_ && !NameFile(fd_.get(), name_)) {
    return Status::FromErrno("name", name_, -1, errno);
  }
  if (unnamed_) {
    HoldByName();
  }
  unnamed_ = false;
  return Status::Ok();
}

// A descriptor from before the file had its name shows the file as deleted in /proc for good, and
// whoever saves processes with their files (CRIU) believes it. Without a descriptor to spare it
// stays so; it serves as well.
void FileDevice::HoldByName() {
  const UniqueFd named(open(name_.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  if (named.valid() && SameInode(named.get(), fd_.get())) {
    (void)dup3(named.get(), fd_.get(), O_CLOEXEC);
  }
}

UniqueFd FileDevice::OpenAgain(int flags) const {
  // Through /proc, because the name may have moved on or be gone; by name where there is no /proc.
  UniqueFd fd(open(LinkTo(fd_.get()).c_str(), flags | O_CLOEXEC));
  if (!fd.valid() && errno == ENOENT) {
    fd = UniqueFd(open(name_.c_str(), flags | O_CLOEXEC));
    if (fd.valid() && !SameInode(fd.get(), fd_.get())) {
      fd.Reset();
      errno = ENOENT;
    }
  }
  return fd;
}

Status FileDevice::OpenAside(std::unique_ptr<Device>* aside) {
  UniqueFd fd = OpenAgain(O_RDWR);
  if (!fd.valid()) {
    return Status::FromErrno("open", name_, -1, errno);
  }
  auto device = std::make_unique<FileDevice>(std::move(fd), name_, warn_, calls_);
  device->BypassCache(bypasses_cache());
  *aside = std::move(device);
  return Status::Ok();
}

FileDevice::FileDevice(UniqueFd fd, std::string name, WarningSink warn, SystemCalls* calls)
    : fd_(std::move(fd)), name_(std::move(name)), warn_(std::move(warn)), calls_(calls) {}

void FileDevice::WarnOnce(std::atomic<bool>* warned, const std::string& line) {
  if (!warned->exchange(true, std::memory_order_relaxed) && warn_) {
    warn_(line);
  }
}

void FileDevice::WarnNoDirect() {
  WarnOnce(&warned_no_direct_,
           "the file system refuses direct I/O with 4 KiB alignment; using buffered writes (option "
           "direct_io=false silences this) [" +
               DirectoryOf(name_) + "]");
}

// One attempt. Falls back for good, once and aloud, from what this kernel or file system refuses.
int64_t FileDevice::WriteOnce(const iovec* pieces, int count, Address offset, WriteKind kind,
                              bool* needs_sync) {
  const bool flag = kind == WriteKind::kDurable && !no_dsync_flag_.load(std::memory_order_relaxed);
  const bool was_direct = bypasses_cache();
  const int64_t result = calls_->Pwritev2(fd_.get(), pieces, count, static_cast<int64_t>(offset),
                                          flag ? RWF_DSYNC : 0);
  if (flag && result < 0 && IsRefusal(static_cast<int>(-result))) {
    no_dsync_flag_.store(true, std::memory_order_relaxed);
    return -EINTR;  // again, without the flag
  }
  if (result == -EINVAL && was_direct) {
    WarnNoDirect();
    BypassCache(false);
    return -EINTR;
  }
  if (result > 0 && kind == WriteKind::kDurable && !flag) {
    *needs_sync = true;
  }
  return result;
}

Status FileDevice::Write(const std::vector<iovec>& pieces, Address offset, WriteKind kind) {
  std::vector<iovec> left = pieces;
  size_t first = 0;
  uint64_t remaining = TotalLength(left);
  int stalls = 0;
  bool needs_sync = false;
  while (remaining > 0) {
    const int count = static_cast<int>(std::min<size_t>(left.size() - first, IOV_MAX));
    int64_t written = WriteOnce(left.data() + first, count, offset, kind, &needs_sync);
    if (written > 0 && bypasses_cache() && static_cast<uint64_t>(written) < remaining) {
      // A short direct write may end inside a page; continuing there would be unaligned.
      written = static_cast<int64_t>(PageFloor(static_cast<uint64_t>(written)));
    }
    if (written > 0) {
      Consume(&left, &first, static_cast<uint64_t>(written));
      offset += static_cast<uint64_t>(written);
      remaining -= static_cast<uint64_t>(written);
      stalls = 0;
      continue;
    }
    const bool transient = written == 0 || written == -EINTR || written == -EAGAIN;
    if (!transient || ++stalls > kMaxStalls) {
      return Status::FromErrno("write", name_, static_cast<int64_t>(offset),
                               written == 0 ? EIO : static_cast<int>(-written));
    }
  }
  return needs_sync ? Sync() : Status::Ok();
}

Status FileDevice::Sync() {
  int result = calls_->Fdatasync(fd_.get());
  if (result == -EINTR) {
    // Interrupted before it began; the kernel reports a failed page only with an error of its own.
    result = calls_->Fdatasync(fd_.get());
  }
  return result == 0 ? Status::Ok() : Status::FromErrno("fdatasync", name_, -1, -result);
}

void FileDevice::StartWriteback(Address offset, uint64_t length) {
  if (!bypasses_cache()) {
    // Its errors come again from the sync, which is the one that promises something.
    (void)calls_->SyncFileRange(fd_.get(), static_cast<int64_t>(offset),
                                static_cast<int64_t>(length));
  }
}

Status FileDevice::Allocate(Address offset, uint64_t length) {
  if (no_allocate_.load(std::memory_order_relaxed)) {
    return Status::Ok();
  }
  int result = 0;
  do {
    result = calls_->Fallocate(fd_.get(), FALLOC_FL_KEEP_SIZE, static_cast<int64_t>(offset),
                               static_cast<int64_t>(length));
  } while (result == -EINTR);
  if (result < 0 && (IsRefusal(-result) || result == -EINVAL || result == -ENODEV)) {
    no_allocate_.store(true, std::memory_order_relaxed);
    WarnOnce(
        &warned_no_allocate_,
        "the file system cannot allocate ahead (fallocate); a full disk shows as a write error "
        "instead of a refused append [" +
            DirectoryOf(name_) + "]");
    return Status::Ok();
  }
  return result == 0 ? Status::Ok()
                     : Status::FromErrno("fallocate", name_, static_cast<int64_t>(offset), -result);
}

Status FileDevice::SetSize(uint64_t size) {
  int result = 0;
  do {
    result = calls_->Ftruncate(fd_.get(), static_cast<int64_t>(size));
  } while (result == -EINTR);
  return result == 0 ? Status::Ok()
                     : Status::FromErrno("ftruncate", name_, static_cast<int64_t>(size), -result);
}

uint64_t FileDevice::FreeBytes() const {
  struct statvfs fs = {};
  return fstatvfs(fd_.get(), &fs) == 0 ? fs.f_bavail * fs.f_frsize : UINT64_MAX;
}

Status FileDevice::OpenReader(int* fd) {
  const MutexLock lock(&reader_mutex_);
  if (!reader_.valid()) {
    reader_ = OpenAgain(O_RDONLY);
    if (!reader_.valid()) {
      return Status::FromErrno("open", name_, -1, errno);
    }
  }
  *fd = reader_.get();
  return Status::Ok();
}

Status FileDevice::Read(Address offset, size_t length, char* destination, size_t* read) {
  *read = 0;
  if (length == 0) {
    return Status::Ok();  // without a descriptor of its own
  }
  int fd = -1;
  return OpenReader(&fd).ok() ? ReadFully(fd, name_, offset, length, destination, read)
                              : ReadWithoutReader(offset, length, destination, read);
}

// No descriptor is to be had: through the one that writes, in whole pages, because it may be
// direct.
Status FileDevice::ReadWithoutReader(Address offset, size_t length, char* destination,
                                     size_t* read) {
  constexpr size_t kWindowBytes = 64 << 10;
  const std::unique_ptr<char, decltype(&std::free)> window(
      static_cast<char*>(std::aligned_alloc(kPageBytes, kWindowBytes)), &std::free);
  while (*read < length && window != nullptr) {
    const Address at = PageFloor(offset + *read);
    // Not ReadFully, which would go on inside a page at the end of the file.
    const ssize_t got = pread(fd_.get(), window.get(), kWindowBytes, static_cast<off_t>(at));
    if (got < 0 && errno != EINTR) {
      return Status::FromErrno("read", name_, static_cast<int64_t>(at), errno);
    }
    const size_t skipped = offset + *read - at;
    if (got >= 0 && static_cast<size_t>(got) <= skipped) {
      return Status::Ok();  // the end
    }
    if (got > 0) {
      const size_t copied = std::min(static_cast<size_t>(got) - skipped, length - *read);
      std::memcpy(destination + *read, window.get() + skipped, copied);
      *read += copied;
    }
  }
  return window != nullptr ? Status::Ok()
                           : Status::FromErrno("read", name_, static_cast<int64_t>(offset), ENOMEM);
}

void FileDevice::Submit(AsyncWriter* writer, FlushClient* client, const std::vector<WriteOp>& ops) {
  writer->WriteFile(fd_.get(), client, ops);
}

void FileDevice::BypassCache(bool enable) {
  const int flags = fcntl(fd_.get(), F_GETFL);
  const int wanted = enable ? flags | O_DIRECT : flags & ~O_DIRECT;
  const bool changed = flags >= 0 && fcntl(fd_.get(), F_SETFL, wanted) == 0;
  direct_.store(enable && changed, std::memory_order_relaxed);
  if (enable && !changed) {
    WarnNoDirect();
  }
}

bool FileDevice::overwrites_in_place() const { return FileOverwritesInPlace(fd_.get()); }

bool FileDevice::Unreachable() const {
  struct stat st = {};
  return fstat(fd_.get(), &st) == 0 && st.st_nlink == 0;
}

}  // namespace lss
