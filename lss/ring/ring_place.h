// An open directory of rings. What is in it is reached through its descriptor, so that nobody can
// put another one in its place between two steps, and no symbolic link is followed on the way.
//
// Thread safety: functions of one object by one thread at a time.
#pragma once

#include <string>
#include <vector>

#include "lss/base/file_identity.h"
#include "lss/base/status.h"
#include "lss/base/unique_fd.h"

namespace lss {

class RingPlace {
 public:
  // NotFound if there is no directory at `path`, whatever else is there.
  static Status Open(const std::string& path, RingPlace* place);
  // Makes the directory when it is missing, for the rings of `log` and its like: theirs if the
  // caller may give it away, and open to nobody to whom they are not. PermissionDenied if what is
  // there may be somebody else's work.
  static Status OpenOrCreate(const std::string& path, const FileAccess& log, RingPlace* place);

  int fd() const { return fd_.get(); }
  const FileAccess& access() const { return access_; }
  // Of the directory that it is in.
  const FileAccess& parent() const { return parent_; }

  // Opens what has this name in it, without waiting for anybody and without following a link.
  // `regular`: whether it is a regular file.
  Status OpenFile(const std::string& name, int flags, UniqueFd* fd, bool* regular) const;
  // Names of what is in it, in no particular order.
  Status List(std::vector<std::string>* names) const;

 private:
  bool IsOpenFor(const FileAccess& log) const;
  Status OpenFor(const FileAccess& log);

  std::string path_;
  UniqueFd fd_;
  FileAccess access_;
  FileAccess parent_;
};

}  // namespace lss
