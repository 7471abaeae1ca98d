#include "db_bench_ext/frozen_file_system.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace bloom_lfs::bench {
namespace {

// In a child: ends when nobody has the other end of the pipe any more. The signals that end this
// program are blocked there too (SignalsAsResults).
[[noreturn]] void Guard(int pipe, int mount_point) {
  char byte = 0;
  while (read(pipe, &byte, 1) < 0 && errno == EINTR) {
  }
  ioctl(mount_point, FITHAW, 0);  // fails if it is thawed already
  _exit(0);
}

}  // namespace

Result<std::unique_ptr<FrozenFileSystem>> FrozenFileSystem::Create(const std::string& mount_point) {
  Descriptor directory(open(mount_point.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  int ends[2] = {-1, -1};
  if (directory.get() < 0 || pipe2(ends, O_CLOEXEC) != 0) {
    return Error{"cannot freeze " + mount_point + ": " + std::strerror(errno)};
  }
  Descriptor read_end(ends[0]);
  Descriptor write_end(ends[1]);
  const pid_t guard = fork();
  if (guard == 0) {
    write_end.Close();
    Guard(read_end.get(), directory.get());
  }
  if (guard < 0) return Error{std::string("cannot fork: ") + std::strerror(errno)};
  std::unique_ptr<FrozenFileSystem> frozen(
      new FrozenFileSystem(std::move(directory), std::move(write_end), guard));
  if (ioctl(frozen->mount_point_.get(), FIFREEZE, 0) != 0) {
    return Error{"cannot freeze " + mount_point + ": " + std::strerror(errno)};
  }
  return frozen;
}

FrozenFileSystem::~FrozenFileSystem() {
  ioctl(mount_point_.get(), FITHAW, 0);
  guard_pipe_.Close();
  while (waitpid(guard_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace bloom_lfs::bench
