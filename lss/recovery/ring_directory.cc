#include "lss/recovery/ring_directory.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "lss/base/posix_file.h"
#include "lss/recovery/facts.h"
#include "lss/ring/ring_memory.h"
#include "lss/ring/ring_view.h"

namespace lss {
namespace {

bool EndsWith(const std::string& text, const char* suffix) {
  const size_t length = std::strlen(suffix);
  return text.size() >= length && text.compare(text.size() - length, length, suffix) == 0;
}

// Whether nobody can want it any more. A ring of a stream that is no file is its maker's, dead or
// not.
bool IsDead(const std::string& path) {
  std::unique_ptr<RingView> ring;
  return RingView::Open(path, &ring).ok() && !ring->OwnerAlive() &&
         FactsOfRing(*ring).target != TargetFound::kNotAFile;
}

}  // namespace

std::string FindRing(const std::string& path, uint64_t inode) {
  const std::string name = RingFileName(FileIdentity{0, inode, 0});
  const std::string directory = DirectoryOf(path);
  for (const std::string& base : {directory, directory + "/.."}) {
    std::string ring = base + "/" + kRingDirectoryName + "/" + name;
    if (access(ring.c_str(), F_OK) == 0) {
      return ring;
    }
  }
  return {};
}

Status ListRings(const std::string& ring_directory, std::vector<std::string>* paths) {
  std::vector<std::string> names;
  Status status = ListDirectory(ring_directory, &names);
  if (!status.ok()) {
    return status.code() == Status::Code::kNotFound ? Status::Ok() : status;
  }
  for (const std::string& name : names) {
    if (EndsWith(name, kRingSuffix)) {
      paths->push_back(ring_directory + "/" + name);
    }
  }
  std::sort(paths->begin(), paths->end());
  return Status::Ok();
}

void RemoveDeadRingDirectory(const std::string& directory) {
  std::vector<std::string> names;
  if (!ListDirectory(directory, &names).ok() || names.size() != 1 ||
      names[0] != kRingDirectoryName) {
    return;
  }
  const std::string rings = directory + "/" + kRingDirectoryName;
  RingDirectoryLock lock;
  std::vector<std::string> files;
  if (!RingDirectoryLock::Acquire(rings, /*create=*/false, &lock).ok() ||
      !ListDirectory(rings, &files).ok()) {
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

}  // namespace lss
