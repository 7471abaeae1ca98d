#include "lss/device/system_calls.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>

namespace lss {

bool IsRefusal(int error_number) {
  return error_number == ENOSYS || error_number == EOPNOTSUPP || error_number == EPERM ||
         error_number == EACCES;
}

int64_t SystemCalls::Pwritev2(int fd, const iovec* pieces, int count, int64_t offset, int flags) {
  ssize_t written = 0;
  if (flags != 0) {
    written = pwritev2(fd, pieces, count, offset, flags);
    return written >= 0 ? written : -errno;
  }
  if (count > 1) {
    written = pwritev(fd, pieces, count, offset);
    if (written >= 0 || !IsRefusal(errno)) {
      return written >= 0 ? written : -errno;
    }
  }
  // One piece, or the first of several: a short write, which the caller goes on from.
  written = pwrite(fd, pieces->iov_base, pieces->iov_len, offset);
  return written >= 0 ? written : -errno;
}

int SystemCalls::Fdatasync(int fd) { return fdatasync(fd) == 0 ? 0 : -errno; }

int SystemCalls::SyncFileRange(int fd, int64_t offset, int64_t length) {
  return sync_file_range(fd, offset, length, SYNC_FILE_RANGE_WRITE) == 0 ? 0 : -errno;
}

int SystemCalls::Fallocate(int fd, int mode, int64_t offset, int64_t length) {
  return fallocate(fd, mode, offset, length) == 0 ? 0 : -errno;
}

int SystemCalls::Ftruncate(int fd, int64_t size) { return ftruncate(fd, size) == 0 ? 0 : -errno; }

uint64_t SystemCalls::FileSizeLimit() {
  rlimit limit = {};
  return getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY ? limit.rlim_cur
                                                                                 : UINT64_MAX;
}

SystemCalls* SystemCalls::Default() {
  // Never destroyed: exit handlers may still use stores.
  static SystemCalls* const calls = new SystemCalls;
  return calls;
}

}  // namespace lss
