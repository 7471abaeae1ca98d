#include "lss/recovery/ring_directory.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "lss/base/posix_file.h"
#include "lss/recovery/facts.h"
#include "lss/ring/ring_lock.h"
#include "lss/ring/ring_view.h"

namespace lss {
namespace {

bool EndsWith(const std::string& text, const char* suffix) {
  const size_t length = std::strlen(suffix);
  return text.size() >= length && text.compare(text.size() - length, length, suffix) == 0;
}

// Whether nobody can want it any more, in a directory that has no file left: a closed stream has
// all its bytes in its file, though its owner may not have got round to removing the ring. A ring
// of a stream that is no file is its maker's, dead or not; one that cannot be trusted may be
// anything.
bool IsDead(const std::string& path, const RingPlace& place) {
  std::unique_ptr<RingView> ring;
  if (!RingView::Open(path, &ring).ok()) {
    return false;
  }
  const RingFacts facts = FactsOfRing(*ring, place.parent());
  return facts.trusted && (facts.closed || !facts.owner_alive) &&
         facts.target != TargetFound::kNotAFile;
}

std::vector<std::string> RingNames(const std::vector<std::string>& names) {
  std::vector<std::string> rings;
  for (const std::string& name : names) {
    if (EndsWith(name, kRingSuffix)) {
      rings.push_back(name);
    }
  }
  std::sort(rings.begin(), rings.end());
  return rings;
}

// Without opening it, which costs this process a descriptor for as long as it owns the ring.
bool IsOurs(const RingPlace& place, const std::string& name) {
  struct stat st = {};
  return fstatat(place.fd(), name.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0 &&
         IsOwnedHere({st.st_dev, st.st_ino, 0});
}

// Of a ring that this process does not own; empty if it is not known.
std::string StreamNameIn(const std::string& path) {
  std::unique_ptr<RingView> ring;
  return RingView::Open(path, &ring).ok() && ring->header_state() == HeaderState::kWhole
             ? ring->stream_name()
             : std::string();
}

std::string FindRingIn(const std::string& ring_directory, const std::string& file, uint64_t inode) {
  RingPlace place;
  if (!RingPlace::Open(ring_directory, &place).ok()) {
    return {};
  }
  const std::string name = RingFileName(FileIdentity{0, inode, 0});
  struct stat st = {};
  const bool found = fstatat(place.fd(), name.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0;
  std::string by_inode = found ? ring_directory + "/" + name : std::string();
  if (found && !IsOurs(place, name)) {
    const std::string stream = StreamNameIn(by_inode);
    if (stream.empty() || stream == BaseNameOf(file)) {
      return by_inode;
    }
  }
  // In a copied directory a file may have the number that another one had.
  std::vector<std::string> names;
  (void)place.List(&names);
  for (const std::string& path : RingsOfOthers(place, ring_directory, names)) {
    if (StreamNameIn(path) == BaseNameOf(file)) {
      return path;
    }
  }
  return by_inode;  // of a file that was renamed
}

}  // namespace

std::string FindRing(const std::string& path, uint64_t inode) {
  const std::string directory = DirectoryOf(path);
  std::string ring = FindRingIn(directory + "/" + kRingDirectoryName, path, inode);
  if (ring.empty() && BaseNameOf(directory) == kArchiveDirectoryName) {
    ring = FindRingIn(directory + "/../" + kRingDirectoryName, path, inode);
  }
  return ring;
}

Status ListRings(const std::string& ring_directory, std::vector<std::string>* paths) {
  RingPlace place;
  std::vector<std::string> names;
  Status status = RingPlace::Open(ring_directory, &place);
  if (status.ok()) {
    status = place.List(&names);
  }
  for (const std::string& name : RingNames(names)) {
    paths->push_back(ring_directory + "/" + name);
  }
  return status.code() == Status::Code::kNotFound ? Status::Ok() : status;
}

std::vector<std::string> RingsOfOthers(const RingPlace& place, const std::string& ring_directory,
                                       const std::vector<std::string>& names) {
  std::vector<std::string> paths;
  for (const std::string& name : RingNames(names)) {
    if (!IsOurs(place, name)) {
      paths.push_back(ring_directory + "/" + name);
    }
  }
  return paths;
}

void RemoveDeadRingDirectory(const std::string& directory) {
  std::vector<std::string> names;
  if (!ListDirectory(directory, &names).ok() || names.size() != 1 ||
      names[0] != kRingDirectoryName) {
    return;
  }
  const std::string rings = directory + "/" + kRingDirectoryName;
  RingPlace place;
  std::vector<std::string> files;
  if (!RingPlace::Open(rings, &place).ok() || !place.List(&files).ok()) {
    return;
  }
  for (const std::string& file : files) {
    const std::string path = rings + "/" + file;
    if (IsDead(path, place)) {
      unlink(path.c_str());
    }
  }
  rmdir(rings.c_str());
}

}  // namespace lss
