#include "lss/base/file_identity.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cinttypes>
#include <cstdio>

#include "lss/ring/ring_format.h"

namespace lss {
namespace {

Status Identify(int fd, const char* path, int flags, const std::string& name,
                FileIdentity* identity, uint64_t* size) {
  struct statx stx = {};
  if (statx(fd, path, flags, STATX_BASIC_STATS | STATX_BTIME, &stx) != 0) {
    // Old container runtimes forbid statx; without it there are no birth times.
    struct stat st = {};
    if ((errno != EPERM && errno != ENOSYS) || fstatat(fd, path, &st, flags) != 0) {
      return Status::FromErrno("stat", name, -1, errno);
    }
    *identity = {st.st_dev, st.st_ino, 0};
    *size = static_cast<uint64_t>(st.st_size);
    return Status::Ok();
  }
  identity->device = makedev(stx.stx_dev_major, stx.stx_dev_minor);
  identity->inode = stx.stx_ino;
  identity->birth_time_ns = 0;
  if ((stx.stx_mask & STATX_BTIME) != 0) {
    identity->birth_time_ns =
        static_cast<int64_t>(stx.stx_btime.tv_sec) * 1000000000 + stx.stx_btime.tv_nsec;
  }
  *size = stx.stx_size;
  return Status::Ok();
}

std::array<uint8_t, kBootIdBytes> ReadBootId() {
  std::array<uint8_t, kBootIdBytes> id = {};
  const UniqueFd fd(open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC));
  char text[64] = {};
  if (!fd.valid() || read(fd.get(), text, sizeof(text) - 1) <= 0) {
    return id;
  }
  size_t nibbles = 0;
  for (const char* c = text; *c != '\0' && nibbles < 2 * id.size(); ++c) {
    unsigned value = 0;
    if (*c >= '0' && *c <= '9') {
      value = static_cast<unsigned>(*c - '0');
    } else if (*c >= 'a' && *c <= 'f') {
      value = static_cast<unsigned>(*c - 'a') + 10;
    } else {
      continue;
    }
    id[nibbles / 2] = static_cast<uint8_t>(id[nibbles / 2] << 4 | value);
    ++nibbles;
  }
  return id;
}

}  // namespace

Status IdentifyFd(int fd, const std::string& name, FileIdentity* identity, uint64_t* size) {
  return Identify(fd, "", AT_EMPTY_PATH, name, identity, size);
}

Status IdentifyPath(const std::string& path, FileIdentity* identity, uint64_t* size) {
  return Identify(AT_FDCWD, path.c_str(), 0, path, identity, size);
}

const uint8_t* BootId() {
  static const std::array<uint8_t, kBootIdBytes> id = ReadBootId();
  return id.data();
}

std::string DirectoryOf(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) {
    return ".";
  }
  return slash == 0 ? "/" : path.substr(0, slash);
}

UniqueFd CreateUnnamed(const std::string& directory) {
  return UniqueFd(open(directory.c_str(), O_RDWR | O_TMPFILE | O_CLOEXEC, 0644));
}

bool NameFile(int fd, const std::string& path) {
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  return linkat(AT_FDCWD, link.c_str(), AT_FDCWD, path.c_str(), AT_SYMLINK_FOLLOW) == 0;
}

std::string RingFileName(uint64_t inode) {
  char name[32];
  std::snprintf(name, sizeof(name), "%016" PRIx64 "%s", inode, kRingSuffix);
  return name;
}

UniqueFd& UniqueFd::operator=(UniqueFd&& other) noexcept {
  if (this != &other) {
    Reset();
    fd_ = other.Release();
  }
  return *this;
}

void UniqueFd::Reset() {
  if (fd_ >= 0) {
    close(fd_);
    fd_ = -1;
  }
}

int UniqueFd::Release() {
  const int fd = fd_;
  fd_ = -1;
  return fd;
}

}  // namespace lss
