#include "plugin/directory_id.h"

namespace bloom_lfs {

DirectoryId DirectoryId::Of(const std::string& path) {
  DirectoryId id;
  lss::FileIdentity identity;
  uint64_t size = 0;
  if (lss::IdentifyPath(path, &identity, &size).ok()) {
    id.identity_ = identity;
  }
  return id;
}

// All three: a cloned file system has the same inodes and birth times on another device, and the
// inode of a removed directory is given out again.
bool DirectoryId::Same(const DirectoryId& other) const {
  return known() && other.known() && identity_->device == other.identity_->device &&
         identity_->inode == other.identity_->inode &&
         identity_->birth_time_ns == other.identity_->birth_time_ns;
}

}  // namespace bloom_lfs
