#include "lss/device/sync_device.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

namespace lss {
namespace {

// A write that makes no progress this often is an error, not a reason to spin.
constexpr int kMaxStalls = 16;

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

int64_t SystemCalls::Pwritev2(int fd, const iovec* pieces, int count, int64_t offset, int flags) {
  const ssize_t written = pwritev2(fd, pieces, count, offset, flags);
  return written >= 0 ? written : -errno;
}

int SystemCalls::Fdatasync(int fd) { return fdatasync(fd) == 0 ? 0 : -errno; }

int SystemCalls::SyncFileRange(int fd, int64_t offset, int64_t length) {
  return sync_file_range(fd, offset, length, SYNC_FILE_RANGE_WRITE) == 0 ? 0 : -errno;
}

int SystemCalls::Fallocate(int fd, int mode, int64_t offset, int64_t length) {
  return fallocate(fd, mode, offset, length) == 0 ? 0 : -errno;
}

SystemCalls* SystemCalls::Default() {
  // Never destroyed: exit handlers may still use stores.
  static SystemCalls* const calls = new SystemCalls;
  return calls;
}

SyncDevice::SyncDevice(UniqueFd fd, std::string name, WarningSink warn, SystemCalls* calls)
    : fd_(std::move(fd)), name_(std::move(name)), warn_(std::move(warn)), calls_(calls) {}

void SyncDevice::WarnOnce(std::atomic<bool>* warned, const std::string& line) {
  if (!warned->exchange(true) && warn_) {
    warn_(line);
  }
}

void SyncDevice::WarnNoDirect() {
  static std::atomic<bool> warned{false};
  WarnOnce(&warned, name_ +
                        ": the file system refuses direct I/O with 4 KiB alignment; using buffered "
                        "writes (option direct_io=false silences this)");
}

// One attempt. Falls back for good, once and aloud, from what this kernel or file system refuses.
int64_t SyncDevice::WriteOnce(const iovec* pieces, int count, Address offset, WriteKind kind,
                              bool* needs_sync) {
  const bool flag = kind == WriteKind::kDurable && !no_dsync_flag_.load(std::memory_order_relaxed);
  const bool was_direct = direct();
  const int64_t result = calls_->Pwritev2(fd_.get(), pieces, count, static_cast<int64_t>(offset),
                                          flag ? RWF_DSYNC : 0);
  if (flag && (result == -EOPNOTSUPP || result == -ENOSYS)) {
    no_dsync_flag_.store(true, std::memory_order_relaxed);
    return -EINTR;  // again, without the flag
  }
  if (result == -EINVAL && was_direct) {
    WarnNoDirect();
    SetDirect(false);
    return -EINTR;
  }
  if (result > 0 && kind == WriteKind::kDurable && !flag) {
    *needs_sync = true;
  }
  return result;
}

Status SyncDevice::Write(const std::vector<iovec>& pieces, Address offset, WriteKind kind) {
  std::vector<iovec> left = pieces;
  size_t first = 0;
  uint64_t remaining = TotalLength(left);
  int stalls = 0;
  bool needs_sync = false;
  while (remaining > 0) {
    const int count = static_cast<int>(std::min<size_t>(left.size() - first, IOV_MAX));
    int64_t written = WriteOnce(left.data() + first, count, offset, kind, &needs_sync);
    if (written > 0 && direct() && static_cast<uint64_t>(written) < remaining) {
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

Status SyncDevice::Sync() {
  int result = calls_->Fdatasync(fd_.get());
  if (result == -EINTR) {
    // Interrupted before it began; the kernel reports a failed page only with an error of its own.
    result = calls_->Fdatasync(fd_.get());
  }
  return result == 0 ? Status::Ok() : Status::FromErrno("fdatasync", name_, -1, -result);
}

void SyncDevice::StartWriteback(Address offset, uint64_t length) {
  if (!direct()) {
    // Its errors come again from the sync, which is the one that promises something.
    (void)calls_->SyncFileRange(fd_.get(), static_cast<int64_t>(offset),
                                static_cast<int64_t>(length));
  }
}

Status SyncDevice::Allocate(Address offset, uint64_t length) {
  static std::atomic<bool> warned_allocate{false};
  if (no_allocate_.load(std::memory_order_relaxed)) {
    return Status::Ok();
  }
  int result = 0;
  do {
    result = calls_->Fallocate(fd_.get(), FALLOC_FL_KEEP_SIZE, static_cast<int64_t>(offset),
                               static_cast<int64_t>(length));
  } while (result == -EINTR);
  if (result == -EOPNOTSUPP || result == -ENOSYS) {
    no_allocate_.store(true, std::memory_order_relaxed);
    WarnOnce(&warned_allocate,
             name_ +
                 ": the file system cannot allocate ahead (fallocate); a full disk shows as a "
                 "write error instead of a refused append");
    return Status::Ok();
  }
  return result == 0 ? Status::Ok()
                     : Status::FromErrno("fallocate", name_, static_cast<int64_t>(offset), -result);
}

Status SyncDevice::SetSize(uint64_t size) {
  int result = 0;
  do {
    result = ftruncate(fd_.get(), static_cast<off_t>(size));
  } while (result != 0 && errno == EINTR);
  return result == 0 ? Status::Ok()
                     : Status::FromErrno("ftruncate", name_, static_cast<int64_t>(size), errno);
}

Status SyncDevice::OpenReader(int* fd) {
  const std::lock_guard<std::mutex> lock(reader_mutex_);
  if (!reader_.valid()) {
    // Through /proc, because the name may have moved on or be gone; by name where there is no
    // /proc.
    const std::string link = "/proc/self/fd/" + std::to_string(fd_.get());
    reader_ = UniqueFd(open(link.c_str(), O_RDONLY | O_CLOEXEC));
    if (!reader_.valid()) {
      reader_ = UniqueFd(open(name_.c_str(), O_RDONLY | O_CLOEXEC));
    }
    if (!reader_.valid()) {
      return Status::FromErrno("open", name_, -1, errno);
    }
  }
  *fd = reader_.get();
  return Status::Ok();
}

Status SyncDevice::Read(Address offset, size_t length, char* destination, size_t* read) {
  *read = 0;
  if (length == 0) {
    return Status::Ok();  // without a descriptor of its own
  }
  int fd = -1;
  if (Status status = OpenReader(&fd); !status.ok()) {
    return status;
  }
  while (*read < length) {
    const ssize_t got =
        pread(fd, destination + *read, length - *read, static_cast<off_t>(offset + *read));
    if (got == 0) {
      break;
    }
    if (got > 0) {
      *read += static_cast<size_t>(got);
    } else if (errno != EINTR) {
      return Status::FromErrno("read", name_, static_cast<int64_t>(offset + *read), errno);
    }
  }
  return Status::Ok();
}

void SyncDevice::SetDirect(bool enable) {
  const int flags = fcntl(fd_.get(), F_GETFL);
  const int wanted = enable ? flags | O_DIRECT : flags & ~O_DIRECT;
  const bool changed = flags >= 0 && fcntl(fd_.get(), F_SETFL, wanted) == 0;
  direct_.store(enable && changed, std::memory_order_relaxed);
  if (enable && !changed) {
    WarnNoDirect();
  }
}

bool SyncDevice::Unlinked() const {
  struct stat st = {};
  return fstat(fd_.get(), &st) == 0 && st.st_nlink == 0;
}

void SyncWriter::Submit(FlushClient* client, const std::vector<WriteOp>& ops) {
  for (const WriteOp& op : ops) {
    const iovec piece = {const_cast<char*>(op.data), op.length};
    finished_.push_back(
        {client, op, client->device()->Write({piece}, op.offset, WriteKind::kPlain)});
  }
}

void SyncWriter::Reap(const Done& done) {
  if (finished_.empty()) {
    uint64_t count = 0;
    // A failed read (EINTR) is a spurious wake-up, which the flusher allows for.
    if (::read(wake_fd_, &count, sizeof(count)) < 0) {
      return;
    }
  }
  std::deque<Finished> batch;
  batch.swap(finished_);
  for (const Finished& finished : batch) {
    done(finished.client, finished.op, finished.status);
  }
}

}  // namespace lss
