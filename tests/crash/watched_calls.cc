#include "tests/crash/watched_calls.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <utility>

namespace {

std::atomic<int> g_steps_left{-1};  // negative: nobody counts
bool g_midway = false;              // die when half of a write is through
std::atomic<lss::test::CallObserver*> g_observer{nullptr};
std::atomic<int> g_write_error{0};
std::atomic<int> g_reads_to_fail{0};
std::atomic<bool> g_refuse_direct{false};
thread_local std::function<void()> t_before_read;

bool DieNow() { return g_steps_left >= 0 && g_steps_left.fetch_sub(1) == 0; }

void Step() {
  if (DieNow()) {
    kill(getpid(), SIGKILL);
  }
}

ssize_t Write(int fd, const iovec* pieces, int count, off_t offset, int flags) {
  if (!g_midway) {
    Step();
  } else if (DieNow()) {
    iovec half = pieces[0];
    half.iov_len /= half.iov_len >= 8192 ? 2 : half.iov_len % 4096 == 0 ? 1 : 2;
    half.iov_len = half.iov_len > 4096 ? half.iov_len & ~size_t{4095} : half.iov_len;
    (void)syscall(SYS_pwritev2, fd, &half, 1, offset, 0, flags);
    kill(getpid(), SIGKILL);
  }
  if (const int error_number = g_write_error; error_number != 0) {
    errno = error_number;
    return -1;
  }
  auto* const observer = g_observer.load();
  if (observer != nullptr) {
    observer->BeforeWrite(fd, pieces, count, static_cast<uint64_t>(offset));
  }
  const ssize_t written = syscall(SYS_pwritev2, fd, pieces, count, offset, 0, flags);
  if (observer != nullptr) {
    observer->AfterWrite(fd, static_cast<uint64_t>(offset), written, (flags & RWF_DSYNC) != 0);
  }
  return written;
}

int Result(int64_t result) { return static_cast<int>(result); }

mode_t ModeOf(int flags, va_list arguments) {
  return (flags & O_CREAT) == 0 ? 0 : static_cast<mode_t>(va_arg(arguments, int));
}

}  // namespace

extern "C" {
int open(const char* path, int flags, ...) {
  Step();
  if (g_refuse_direct && (flags & O_DIRECT) != 0) {
    errno = EINVAL;
    return -1;
  }
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = ModeOf(flags, arguments);
  va_end(arguments);
  return Result(syscall(SYS_openat, AT_FDCWD, path, flags, mode));
}
int openat(int directory, const char* path, int flags, ...) {
  Step();
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = ModeOf(flags, arguments);
  va_end(arguments);
  return Result(syscall(SYS_openat, directory, path, flags, mode));
}
int mkdir(const char* path, mode_t mode) noexcept {
  Step();
  return Result(syscall(SYS_mkdirat, AT_FDCWD, path, mode));
}
int posix_fallocate(int fd, off_t offset, off_t length) {
  Step();
  return syscall(SYS_fallocate, fd, 0, offset, length) == 0 ? 0 : errno;
}
int fallocate(int fd, int mode, off_t offset, off_t length) {
  Step();
  return Result(syscall(SYS_fallocate, fd, mode, offset, length));
}
int ftruncate(int fd, off_t size) noexcept {
  Step();
  if (auto* const observer = g_observer.load()) {
    observer->OnSize(fd, static_cast<uint64_t>(size));
  }
  return Result(syscall(SYS_ftruncate, fd, size));
}
ssize_t pwritev2(int fd, const iovec* pieces, int count, off_t offset, int flags) {
  return Write(fd, pieces, count, offset, flags);
}
ssize_t pwritev(int fd, const iovec* pieces, int count, off_t offset) {
  return Write(fd, pieces, count, offset, 0);
}
ssize_t pwrite(int fd, const void* bytes, size_t length, off_t offset) {
  const iovec piece = {const_cast<void*>(bytes), length};
  return Write(fd, &piece, 1, offset, 0);
}
ssize_t pread(int fd, void* bytes, size_t length, off_t offset) {
  if (t_before_read) {
    std::exchange(t_before_read, nullptr)();
  }
  if (g_reads_to_fail > 0 && g_reads_to_fail.fetch_sub(1) > 0) {
    errno = EIO;
    return -1;
  }
  return syscall(SYS_pread64, fd, bytes, length, offset);
}
int fdatasync(int fd) {
  Step();
  if (auto* const observer = g_observer.load()) {
    observer->OnSync(fd);
  }
  return 0;
}
int fsync(int) {
  Step();
  return 0;
}
int msync(void*, size_t, int) {
  Step();
  return 0;
}
int unlink(const char* path) noexcept {
  Step();
  return Result(syscall(SYS_unlinkat, AT_FDCWD, path, 0));
}
int unlinkat(int directory, const char* path, int flags) noexcept {
  Step();
  return Result(syscall(SYS_unlinkat, directory, path, flags));
}
int linkat(int from_directory, const char* from, int directory, const char* path,
           int flags) noexcept {
  Step();
  return Result(syscall(SYS_linkat, from_directory, from, directory, path, flags));
}
int rename(const char* from, const char* to) noexcept {
  Step();
  return Result(syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0));
}
int renameat(int from_directory, const char* from, int directory, const char* to) noexcept {
  Step();
  return Result(syscall(SYS_renameat2, from_directory, from, directory, to, 0));
}
int rmdir(const char* path) noexcept {
  Step();
  return Result(syscall(SYS_unlinkat, AT_FDCWD, path, AT_REMOVEDIR));
}
}

namespace lss::test {

void DieAfter(int steps, bool midway) {
  g_midway = midway;
  g_steps_left = steps;
}

void FailWrites(int error_number) { g_write_error = error_number; }

void RefuseDirect(bool refuse) { g_refuse_direct = refuse; }

void FailReads(int count) { g_reads_to_fail = count; }

void BeforeNextRead(std::function<void()> others) { t_before_read = std::move(others); }

void Observe(CallObserver* observer) { g_observer = observer; }

}  // namespace lss::test
