#include "lss/base/file_identity.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cerrno>

namespace lss {
namespace {

constexpr uint32_t kPermissionBits = 0777;

Status Identify(int fd, const char* path, int flags, const std::string& name,
                FileIdentity* identity, uint64_t* size) {
  struct statx stx = {};
  if (statx(fd, path, flags, STATX_BASIC_STATS | STATX_BTIME, &stx) != 0) {
    // Old container runtimes forbid statx; without it there are no birth times.
    struct stat st = {};
    if ((errno != EPERM && errno != ENOSYS) || fstatat(fd, path, &st, flags) != 0) {
      return Status::FromErrno("stat", name, -1, errno);
    }
    *identity = {st.st_dev, st.st_ino, 0, {st.st_uid, st.st_gid, st.st_mode & kPermissionBits}};
    *size = static_cast<uint64_t>(st.st_size);
    return Status::Ok();
  }
  identity->device = makedev(stx.stx_dev_major, stx.stx_dev_minor);
  identity->inode = stx.stx_ino;
  identity->access = {stx.stx_uid, stx.stx_gid, stx.stx_mode & kPermissionBits};
  identity->birth_time_ns = 0;
  if ((stx.stx_mask & STATX_BTIME) != 0) {
    identity->birth_time_ns =
        static_cast<int64_t>(stx.stx_btime.tv_sec) * 1000000000 + stx.stx_btime.tv_nsec;
  }
  *size = stx.stx_size;
  return Status::Ok();
}

}  // namespace

Status IdentifyFd(int fd, const std::string& name, FileIdentity* identity, uint64_t* size) {
  return Identify(fd, "", AT_EMPTY_PATH, name, identity, size);
}

Status IdentifyPath(const std::string& path, FileIdentity* identity, uint64_t* size) {
  return Identify(AT_FDCWD, path.c_str(), 0, path, identity, size);
}

}  // namespace lss
