// The system calls of a file device, so that tests can make them fall short or fail.
#pragma once

#include <sys/uio.h>

#include <cstdint>

namespace lss {

// Whether `error_number` says that a call is not to be had here at all (an old kernel, a seccomp
// filter, a foreign file system), and nothing of what the call was for: a plainer one may do.
bool IsRefusal(int error_number);

// Results as the kernel gives them: a count, or -errno. Thread safety: every method from any
// thread.
class SystemCalls {
 public:
  virtual ~SystemCalls() = default;
  // Without flags: by whatever call can write, the plainest last.
  virtual int64_t Pwritev2(int fd, const iovec* pieces, int count, int64_t offset, int flags);
  virtual int Fdatasync(int fd);
  virtual int SyncFileRange(int fd, int64_t offset, int64_t length);
  virtual int Fallocate(int fd, int mode, int64_t offset, int64_t length);
  virtual int Ftruncate(int fd, int64_t size);
  // The largest size that this process may give a file (RLIMIT_FSIZE). Beyond it, growing a file
  // does not only fail: by default the kernel ends the process (SIGXFSZ).
  virtual uint64_t FileSizeLimit();
  // The real ones.
  static SystemCalls* Default();
};

}  // namespace lss
