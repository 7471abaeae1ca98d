#include "plugin/ring_directory.h"

#include <dirent.h>
#include <unistd.h>

#include <cstring>
#include <memory>
#include <vector>

#include "lss/ring/ring_memory.h"
#include "lss/ring/ring_view.h"

namespace bloom_lfs {
namespace {

bool ListDirectory(const std::string& directory, std::vector<std::string>* names) {
  DIR* dir = opendir(directory.c_str());
  if (dir == nullptr) {
    return false;
  }
  while (const dirent* entry = readdir(dir)) {  // NOLINT(concurrency-mt-unsafe): own DIR
    if (std::strcmp(entry->d_name, ".") != 0 && std::strcmp(entry->d_name, "..") != 0) {
      names->push_back(entry->d_name);
    }
  }
  closedir(dir);
  return true;
}

bool IsDead(const std::string& path) {
  std::unique_ptr<lss::RingView> ring;
  return lss::RingView::Open(path, &ring).ok() && !ring->OwnerAlive();
}

}  // namespace

void RemoveDeadRingDirectory(const std::string& directory) {
  std::vector<std::string> names;
  if (!ListDirectory(directory, &names) || names.size() != 1 ||
      names[0] != lss::kRingDirectoryName) {
    return;
  }
  const std::string rings = directory + "/" + lss::kRingDirectoryName;
  lss::RingDirectoryLock lock;
  std::vector<std::string> files;
  if (!lss::RingDirectoryLock::Acquire(rings, /*create=*/false, &lock).ok() ||
      !ListDirectory(rings, &files)) {
    return;
  }
  for (const std::string& file : files) {
    const std::string path = rings + "/" + file;
    if (IsDead(path)) {
      unlink(path.c_str());
    }
  }
  rmdir(rings.c_str());
}

}  // namespace bloom_lfs
