#include "lss/ring/ring_place.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "lss/base/posix_file.h"
#include "lss/ring/ring_access.h"

namespace lss {
namespace {

// Another process may remove the empty directory between our mkdir and our use of it.
constexpr int kAttempts = 100;

FileAccess AccessOf(const struct stat& st) { return {st.st_uid, st.st_gid, st.st_mode & 0777}; }

}  // namespace

Status RingPlace::Open(const std::string& path, RingPlace* place) {
  UniqueFd fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd.valid()) {
    const bool something_else = errno == ENOTDIR || errno == ELOOP;
    return Status::FromErrno("open", path, -1, something_else ? ENOENT : errno);
  }
  struct stat own = {};
  struct stat above = {};
  if (fstat(fd.get(), &own) != 0 || fstatat(fd.get(), "..", &above, 0) != 0) {
    return Status::FromErrno("stat", path, -1, errno);
  }
  place->path_ = path;
  place->fd_ = std::move(fd);
  place->access_ = AccessOf(own);
  place->parent_ = AccessOf(above);
  return Status::Ok();
}

Status RingPlace::OpenOrCreate(const std::string& path, const FileAccess& log, RingPlace* place) {
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    Status status = Open(path, place);
    if (status.code() == Status::Code::kNotFound) {
      if (mkdir(path.c_str(), 0700) != 0) {
        struct stat st = {};
        if (errno != EEXIST) {
          return Status::FromErrno("mkdir", path, -1, errno);
        }
        if (lstat(path.c_str(), &st) == 0 && !S_ISDIR(st.st_mode)) {
          return Status::FromErrno("open", path, -1, ENOTDIR);
        }
      }
      continue;
    }
    if (status.ok() && !place->IsOpenFor(log)) {
      status = place->OpenFor(log);
    }
    if (status.ok() && !IsTrustedRingDirectory(place->access(), log, place->parent())) {
      return Status::PermissionDenied(path + " may be somebody else's work (it belongs to user " +
                                      std::to_string(place->access().uid) +
                                      ", or others may write to it who may not write to the "
                                      "directory that it is in); remove it");
    }
    return status;
  }
  return Status::FromErrno("open", path, -1, EBUSY);
}

// What others have made is as they have made it.
bool RingPlace::IsOpenFor(const FileAccess& log) const {
  const bool may_give_away = geteuid() == 0 && access_.uid == 0 && parent_.uid != 0;
  const uint32_t wanted = RingDirectoryMode(log, parent_, access_.gid);
  return !may_give_away && (access_.uid != geteuid() || (wanted & ~access_.mode) == 0);
}

Status RingPlace::OpenFor(const FileAccess& log) {
  // Only root may give it away; then the owner of the database can use it, and remove it.
  if (access_.uid != parent_.uid || access_.gid != parent_.gid) {
    (void)!fchown(fd_.get(), parent_.uid, parent_.gid);
  }
  struct stat st = {};
  if (fstat(fd_.get(), &st) != 0 ||
      fchmod(fd_.get(), AccessOf(st).mode | RingDirectoryMode(log, parent_, st.st_gid)) != 0 ||
      fstat(fd_.get(), &st) != 0) {
    return Status::FromErrno("chmod", path_, -1, errno);
  }
  access_ = AccessOf(st);
  return Status::Ok();
}

Status RingPlace::OpenFile(const std::string& name, int flags, UniqueFd* fd, bool* regular) const {
  *fd = UniqueFd(openat(fd_.get(), name.c_str(), flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!fd->valid()) {
    // A link, or a socket.
    const bool something_else = errno == ELOOP || errno == ENXIO;
    return Status::FromErrno("open", path_ + "/" + name, -1, something_else ? ENOENT : errno);
  }
  struct stat st = {};
  if (fstat(fd->get(), &st) != 0) {
    return Status::FromErrno("stat", path_ + "/" + name, -1, errno);
  }
  *regular = S_ISREG(st.st_mode);
  return Status::Ok();
}

Status RingPlace::List(std::vector<std::string>* names) const {
  return ListOpenDirectory(fd_.get(), path_, names);
}

}  // namespace lss
