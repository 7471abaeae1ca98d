// The system calls of a file device, so that tests can make them fall short or fail.
#pragma once

#include <sys/uio.h>

#include <cstdint>

namespace lss {

// Results as the kernel gives them: a count, or -errno. Thread safety: every method from any
// thread.
class SystemCalls {
 public:
  virtual ~SystemCalls() = default;
  virtual int64_t Pwritev2(int fd, const iovec* pieces, int count, int64_t offset, int flags);
  virtual int Fdatasync(int fd);
  virtual int SyncFileRange(int fd, int64_t offset, int64_t length);
  virtual int Fallocate(int fd, int mode, int64_t offset, int64_t length);
  // The real ones.
  static SystemCalls* Default();
};

}  // namespace lss
