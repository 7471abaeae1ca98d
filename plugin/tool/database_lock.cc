#include "plugin/tool/database_lock.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "lss/base/file_identity.h"
#include "lss/ring/ring_lock.h"
#include "plugin/database_locks.h"

namespace bloom_lfs::tool {

lss::Status FindDatabaseOwner(const std::string& directory, DatabaseOwner* owner) {
  *owner = {};
  const std::string path = directory + "/LOCK";
  const lss::UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!fd.valid()) {
    return errno == ENOENT ? lss::Status::Ok() : lss::Status::FromErrno("open", path, -1, errno);
  }
  lss::FileIdentity identity;
  uint64_t size = 0;
  lss::Status status = lss::IdentifyFd(fd.get(), path, &identity, &size);
  if (status.ok()) {
    owner->has_lock_file = true;
    owner->pid = lss::OwnerElsewhere(fd.get(), identity);
  }
  return status;
}

DatabaseLock::~DatabaseLock() {
  if (fd_.valid()) {
    NoteDatabaseUnlocked(this);
  }
}

lss::Status DatabaseLock::Take(const std::string& directory) {
  const std::string path = directory + "/LOCK";
  lss::UniqueFd fd(open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  if (!fd.valid()) {
    return errno == ENOENT && access(directory.c_str(), F_OK) == 0
               ? lss::Status::Ok()
               : lss::Status::FromErrno("open", path, -1, errno);
  }
  struct flock lock = {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  if (fcntl(fd.get(), F_SETLK, &lock) != 0) {
    const int error_number = errno;
    struct flock owner = lock;
    const bool known = fcntl(fd.get(), F_GETLK, &owner) == 0 && owner.l_type != F_UNLCK;
    return error_number == EACCES || error_number == EAGAIN
               ? lss::Status::IoError(directory + " is open in " +
                                      (known ? "process " + std::to_string(owner.l_pid)
                                             : std::string("another process")) +
                                      "; close it there first")
               : lss::Status::FromErrno("lock", path, -1, error_number);
  }
  fd_ = std::move(fd);
  NoteDatabaseLocked(this, path);  // so no ring beside it has a living owner
  return lss::Status::Ok();
}

}  // namespace bloom_lfs::tool
