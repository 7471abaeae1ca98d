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
std::tuple<uint64_t, uint64_t, int64_t> DirectoryId::Key() const {
  const lss::FileIdentity identity = identity_.value_or(lss::FileIdentity());
  return {identity.device, identity.inode, identity.birth_time_ns};
}

bool DirectoryId::Same(const DirectoryId& other) const {
  return known() && other.known() && Key() == other.Key();
}

bool DirectoryId::operator<(const DirectoryId& other) const { return Key() < other.Key(); }

}  // namespace bloom_lfs
