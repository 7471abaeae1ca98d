// Which file is it? Identity that survives renames and tells a copy from the original.
#pragma once

#include <cstdint>
#include <string>

#include "lss/base/status.h"

namespace lss {

// Who may do what with a file: its owner, its group, and the nine permission bits.
struct FileAccess {
  uint32_t uid = 0;
  uint32_t gid = 0;
  uint32_t mode = 0;
};

struct FileIdentity {
  uint64_t device = 0;
  uint64_t inode = 0;
  int64_t birth_time_ns = 0;  // since 1970; 0: the file system does not record it
  FileAccess access = {};     // when it was asked for; no part of the identity

  // The same file on the same boot or another: inode and birth time, because device numbers may
  // change with a remount; the device instead where there is no birth time.
  bool SameFile(const FileIdentity& other) const {
    return inode == other.inode && birth_time_ns == other.birth_time_ns &&
           (birth_time_ns != 0 || device == other.device);
  }
  // Whether `other` has got this file's inode number, and so this file was deleted.
  bool HasGoneFor(const FileIdentity& other) const {
    return device == other.device && inode == other.inode && birth_time_ns != 0 &&
           other.birth_time_ns != 0 && birth_time_ns != other.birth_time_ns;
  }
};

// Identity and size of an open file, or of a path (symbolic links followed).
Status IdentifyFd(int fd, const std::string& name, FileIdentity* identity, uint64_t* size);
Status IdentifyPath(const std::string& path, FileIdentity* identity, uint64_t* size);

}  // namespace lss
