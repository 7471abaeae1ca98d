#include "plugin/standard_error.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>

namespace bloom_lfs {
namespace {

constexpr int kDescriptor = STDERR_FILENO;

struct Place {
  bool open = false;
  struct stat is = {};
};

Place Here() {
  Place place;
  place.open = fstat(kDescriptor, &place.is) == 0;
  return place;
}

// Before all else that is initialised statically, which may have something to say.
[[gnu::init_priority(101)]] const Place kAtLoad = Here();

bool SameFile(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino &&
         (a.st_mode & S_IFMT) == (b.st_mode & S_IFMT);
}

// What libraries open for themselves is not for children; a program's log is.
bool IsLogOfTheProgram(const struct stat& is) {
  const int flags = fcntl(kDescriptor, F_GETFL);
  const int of_descriptor = fcntl(kDescriptor, F_GETFD);
  return S_ISREG(is.st_mode) && flags >= 0 && (flags & O_APPEND) != 0 && of_descriptor >= 0 &&
         (of_descriptor & FD_CLOEXEC) == 0;
}

// Keeps the signal of a failed write from the program, for as long as it lives.
class SignalHeldOff {
 public:
  explicit SignalHeldOff(int signal) {
    sigemptyset(&signal_);
    sigaddset(&signal_, signal);
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, signal) == 1;
    pthread_sigmask(SIG_BLOCK, &signal_, &before_);
  }
  ~SignalHeldOff() {
    if (!was_pending_) {
      const timespec now = {};
      while (sigtimedwait(&signal_, nullptr, &now) < 0 && errno == EINTR) {
      }
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  SignalHeldOff(const SignalHeldOff&) = delete;
  SignalHeldOff& operator=(const SignalHeldOff&) = delete;

 private:
  sigset_t signal_;
  sigset_t before_;
  bool was_pending_ = false;
};

// Whether a write waits is a property of the open file, which other processes share; so the pipe or
// terminal is opened once more. Not by the name that a terminal has: it may be out of sight.
int OpenedForMe(const struct stat& is) {
  if (!S_ISFIFO(is.st_mode) && isatty(kDescriptor) == 0) {
    return -1;
  }
  return open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

void WriteToStream(const struct stat& is, const char* text, size_t length) {
  const int mine = OpenedForMe(is);
  if (mine >= 0) {
    (void)!write(mine, text, length);
    close(mine);
    return;
  }
  // Not allowed, or no /proc: the next best, and if somebody else fills the last of the pipe
  // between these two steps, this waits with him.
  pollfd ready = {kDescriptor, POLLOUT, 0};
  if (poll(&ready, 1, 0) == 1 && (ready.revents & POLLOUT) != 0) {
    (void)!write(kDescriptor, text, length);
  }
}

}  // namespace

void SayOnStandardError(const char* line, size_t length) {
  char text[kLongestLine];
  length = std::min(length, sizeof(text) - 1);
  std::memcpy(text, line, length);
  text[length++] = '\n';

  const Place now = Here();
  if (!now.open || !kAtLoad.open || !(SameFile(now.is, kAtLoad.is) || IsLogOfTheProgram(now.is))) {
    return;
  }
  const int saved = errno;
  if (S_ISSOCK(now.is.st_mode)) {
    (void)send(kDescriptor, text, length, MSG_DONTWAIT | MSG_NOSIGNAL);
  } else if (S_ISREG(now.is.st_mode)) {
    const SignalHeldOff at_its_limit(SIGXFSZ);
    (void)!write(kDescriptor, text, length);
  } else {
    const SignalHeldOff nobody_reads(SIGPIPE);
    WriteToStream(now.is, text, length);
  }
  errno = saved;
}

}  // namespace bloom_lfs
