#include "lss/device/system_calls.h"

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>

namespace lss {

int64_t SystemCalls::Pwritev2(int fd, const iovec* pieces, int count, int64_t offset, int flags) {
  ssize_t written = pwritev2(fd, pieces, count, offset, flags);
  if (written < 0 && errno == EPERM && flags == 0) {
    written = pwritev(fd, pieces, count, offset);  // a seccomp filter that knows only the old call
  }
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

}  // namespace lss
