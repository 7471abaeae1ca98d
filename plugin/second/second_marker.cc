#include "plugin/second/second_marker.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <sstream>

#include "lss/base/crc32c.h"
#include "lss/base/posix_file.h"
#include "lss/ring/ring_access.h"
#include "lss/ring/ring_format.h"
#include "lss/ring/ring_place.h"

namespace bloom_lfs {
namespace {

using lss::Status;

constexpr char kName[] = "second";
constexpr char kNewName[] = "second.new";
constexpr char kTitle[] = "bloom_lfs second place 1";
constexpr size_t kMostBytes = 8192;

std::string RingsOf(const std::string& directory) {
  return directory + "/" + lss::kRingDirectoryName;
}

std::string PathOf(const std::string& directory) { return RingsOf(directory) + "/" + kName; }

std::string TextOf(const SecondMarker& marker) {
  const std::string text = std::string(kTitle) + "\nlog " + lss::UuidText(marker.log) +
                           "\ndatabase " + lss::UuidText(marker.database) + "\nrequired " +
                           (marker.required ? "1" : "0") + "\nplace " + marker.place + "\n";
  return text + "sum " + std::to_string(lss::Crc32c(0, text.data(), text.size())) + "\n";
}

bool Parse(const std::string& text, SecondMarker* marker) {
  std::istringstream lines(text);
  std::string title;
  std::string line;
  std::string log;
  std::string database;
  std::getline(lines, title);
  while (std::getline(lines, line)) {
    const size_t space = line.find(' ');
    const std::string name = line.substr(0, space);
    const std::string value = space == std::string::npos ? "" : line.substr(space + 1);
    if (name == "log") {
      log = value;
    } else if (name == "database") {
      database = value;
    } else if (name == "required") {
      marker->required = value != "0";
    } else if (name == "place") {
      marker->place = value;
    }
  }
  return title == kTitle && lss::ParseUuid(log, &marker->log) &&
         lss::ParseUuid(database, &marker->database) && TextOf(*marker) == text;
}

lss::FileAccess AccessOf(const struct stat& st) {
  return {st.st_uid, st.st_gid, st.st_mode & 0777};
}

// As a ring: what it names becomes the logs' bytes.
bool IsTrusted(const lss::RingPlace& place, int fd) {
  struct stat st = {};
  return fstat(fd, &st) == 0 &&
         lss::IsTrustedRingDirectory(place.access(), place.parent(), place.parent()) &&
         lss::IsTrustedRing(AccessOf(st), place.parent(), place.parent());
}

Status WriteWhole(int fd, const std::string& path, const std::string& text) {
  const ssize_t written = pwrite(fd, text.data(), text.size(), 0);
  if (written != static_cast<ssize_t>(text.size())) {
    return Status::FromErrno("write", path, 0, written < 0 ? errno : ENOSPC);
  }
  return fsync(fd) == 0 ? Status::Ok() : Status::FromErrno("sync", path, -1, errno);
}

}  // namespace

Status ReadSecondMarker(const std::string& directory, SecondMarker* marker) {
  lss::RingPlace place;
  lss::UniqueFd fd;
  bool regular = false;
  Status status = lss::RingPlace::Open(RingsOf(directory), &place);
  if (status.ok()) {
    status = place.OpenFile(kName, O_RDONLY, &fd, &regular);
  }
  if (!status.ok()) {
    return status;
  }
  const std::string path = PathOf(directory);
  if (!IsTrusted(place, fd.get())) {
    return Status::PermissionDenied(
        path +
        " may be somebody else's work: who may not write to the database could write to it. "
        "If it is right, take that permission away; otherwise remove it");
  }
  std::string text(kMostBytes, '\0');
  size_t read = 0;
  status = lss::ReadFully(fd.get(), path, 0, text.size(), text.data(), &read);
  text.resize(read);
  if (status.ok() && (!regular || !Parse(text, marker))) {
    return Status::Corruption(
        path +
        " says that this database has a second place, but cannot be read; what was acknowledged "
        "may be there and not in the files. Restore the marker, or remove it to go on without");
  }
  return status;
}

Status WriteSecondMarker(const std::string& directory, const SecondMarker& marker) {
  struct stat st = {};
  if (stat(directory.c_str(), &st) != 0) {
    return Status::FromErrno("stat", directory, -1, errno);
  }
  lss::RingPlace place;
  Status status = lss::RingPlace::OpenOrCreate(RingsOf(directory), AccessOf(st), &place);
  if (!status.ok()) {
    return status;
  }
  const std::string path = PathOf(directory);
  (void)unlinkat(place.fd(), kNewName, 0);
  const lss::UniqueFd fd(openat(place.fd(), kNewName, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd.valid()) {
    return Status::FromErrno("make", path, -1, errno);
  }
  // Whoever may read the database needs it; only root may give it away.
  (void)fchmod(fd.get(), st.st_mode & 0644);
  (void)!fchown(fd.get(), st.st_uid, st.st_gid);
  status = WriteWhole(fd.get(), path, TextOf(marker));
  if (!status.ok()) {
    return status;
  }
  if (renameat(place.fd(), kNewName, place.fd(), kName) != 0 || fsync(place.fd()) != 0) {
    return Status::FromErrno("write", path, -1, errno);
  }
  // The directory of rings may be new.
  const lss::UniqueFd parent(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return parent.valid() && fsync(parent.get()) == 0
             ? Status::Ok()
             : Status::FromErrno("sync", directory, -1, errno);
}

Status RemoveSecondMarker(const std::string& directory) {
  lss::RingPlace place;
  if (!lss::RingPlace::Open(RingsOf(directory), &place).ok()) {
    return Status::Ok();
  }
  if (unlinkat(place.fd(), kName, 0) != 0 && errno != ENOENT) {
    return Status::FromErrno("remove", PathOf(directory), -1, errno);
  }
  (void)rmdir(RingsOf(directory).c_str());  // if no ring is left either
  return Status::Ok();
}

}  // namespace bloom_lfs
