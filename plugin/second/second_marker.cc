#include "plugin/second/second_marker.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <map>
#include <sstream>
#include <utility>

#include "lss/base/crc32c.h"
#include "lss/base/posix_file.h"
#include "lss/ring/ring_access.h"
#include "lss/ring/ring_format.h"
#include "lss/ring/ring_place.h"

namespace bloom_lfs {
namespace {

using lss::Status;

constexpr char kMarkerName[] = "second";
constexpr char kMarkerNewName[] = "second.new";
constexpr char kMarkerLockName[] = "second.lock";
constexpr char kMarkerTitle[] = "bloom_lfs second place 1";
constexpr int kMarkerLockAttempts = 100;
constexpr size_t kMarkerMostBytes = 8192;

std::string RingsOf(const std::string& directory) {
  return directory + "/" + lss::kRingDirectoryName;
}

std::string PathOf(const std::string& directory) { return RingsOf(directory) + "/" + kMarkerName; }

std::string TextOf(const lss::FileIdentity& identity) {
  return std::to_string(identity.device) + " " + std::to_string(identity.inode) + " " +
         std::to_string(identity.birth_time_ns);
}

std::string TextOf(const SecondMarker& marker) {
  const std::string text = std::string(kMarkerTitle) + "\nlog " + lss::UuidText(marker.log) +
                           "\ndatabase " + lss::UuidText(marker.database) + "\nboot " +
                           lss::UuidText(marker.boot) + "\ndirectory " + TextOf(marker.directory) +
                           "\nqueues " + marker.queues + "\nplace " + marker.place + "\n";
  return text + "sum " + std::to_string(lss::Crc32c(0, text.data(), text.size())) + "\n";
}

bool Parse(const std::string& text, SecondMarker* marker) {
  std::map<std::string, std::string> values;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const size_t space = line.find(' ');
    values[line.substr(0, space)] = space == std::string::npos ? "" : line.substr(space + 1);
  }
  std::istringstream directory(values["directory"]);
  directory >> marker->directory.device >> marker->directory.inode >>
      marker->directory.birth_time_ns;
  marker->queues = values["queues"];
  marker->place = values["place"];
  return lss::ParseUuid(values["log"], &marker->log) &&
         lss::ParseUuid(values["database"], &marker->database) &&
         lss::ParseUuid(values["boot"], &marker->boot) && TextOf(*marker) == text;
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
  if (Status status = lss::WriteFully(fd, path, 0, text); !status.ok()) {
    return status;
  }
  return fsync(fd) == 0 ? Status::Ok() : Status::FromErrno("sync", path, -1, errno);
}

}  // namespace

Status MakeRingDirectory(const std::string& directory) {
  struct stat st = {};
  if (stat(directory.c_str(), &st) != 0) {
    return Status::FromErrno("stat", directory, -1, errno);
  }
  lss::RingPlace place;
  return lss::RingPlace::OpenOrCreate(RingsOf(directory), AccessOf(st), &place);
}

Status ReadSecondMarker(const std::string& directory, SecondMarker* marker) {
  lss::RingPlace place;
  lss::UniqueFd fd;
  bool regular = false;
  Status status = lss::RingPlace::Open(RingsOf(directory), &place);
  if (status.ok()) {
    status = place.OpenFile(kMarkerName, O_RDONLY, &fd, &regular);
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
  std::string text(kMarkerMostBytes, '\0');
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
  SecondMarker same;
  if (!Parse(TextOf(marker), &same)) {
    return Status::InvalidArgument("second_place and ring_directory may have no line breaks: " +
                                   marker.place);
  }
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
  (void)unlinkat(place.fd(), kMarkerNewName, 0);
  const lss::UniqueFd fd(
      openat(place.fd(), kMarkerNewName, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
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
  if (renameat(place.fd(), kMarkerNewName, place.fd(), kMarkerName) != 0 ||
      fsync(place.fd()) != 0) {
    return Status::FromErrno("write", path, -1, errno);
  }
  // The directory of rings may be new.
  const lss::UniqueFd parent(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return parent.valid() && fsync(parent.get()) == 0
             ? Status::Ok()
             : Status::FromErrno("sync", directory, -1, errno);
}

Status RemoveSecondMarker(const std::string& directory, const lss::Uuid& database) {
  SecondMarker marker;
  lss::RingPlace place;
  if (!ReadSecondMarker(directory, &marker).ok() || marker.database != database ||
      !lss::RingPlace::Open(RingsOf(directory), &place).ok()) {
    return Status::Ok();
  }
  if (unlinkat(place.fd(), kMarkerName, 0) != 0 && errno != ENOENT) {
    return Status::FromErrno("remove", PathOf(directory), -1, errno);
  }
  return Status::Ok();
}

// --- the lock ---

Status FindSecondOwner(const std::string& directory, pid_t* owner) {
  *owner = 0;
  lss::RingPlace place;
  lss::UniqueFd fd;
  bool regular = false;
  Status status = lss::RingPlace::Open(RingsOf(directory), &place);
  if (status.ok()) {
    status = place.OpenFile(kMarkerLockName, O_RDONLY, &fd, &regular);
  }
  lss::FileIdentity identity;
  uint64_t size = 0;
  if (status.ok()) {
    status = lss::IdentifyFd(fd.get(), RingsOf(directory), &identity, &size);
  }
  if (status.ok()) {
    *owner = lss::OwnerElsewhere(fd.get(), identity);
    lss::CloseUnlessLocked(std::move(fd), identity);
  }
  return status.code() == Status::Code::kNotFound ? Status::Ok() : status;
}

SecondLock::~SecondLock() {
  if (lock_.held()) {
    (void)unlink((rings_ + "/" + kMarkerLockName).c_str());
    (void)rmdir(rings_.c_str());  // if no ring is left, nor a marker
    lock_ = lss::RingLock();
    // Who has taken it since would lose it by our closing.
    lss::CloseUnlessLocked(std::move(fd_), file_);
  }
}

Status SecondLock::Take(const std::string& directory, bool* busy) {
  rings_ = RingsOf(directory);
  Status status;
  // Whoever had it may be removing its file.
  for (int attempt = 0; attempt < kMarkerLockAttempts && status.ok() && !lock_.held(); ++attempt) {
    status = TakeOnce(busy);
  }
  return status;
}

Status SecondLock::TakeOnce(bool* busy) {
  *busy = false;
  const std::string path = rings_ + "/" + kMarkerLockName;
  lss::UniqueFd fd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd.valid()) {
    *busy = errno == EACCES || errno == EPERM;  // another user's, who may be alive
    return Status::FromErrno("open", path, -1, errno);
  }
  lss::FileIdentity identity;
  lss::FileIdentity named;
  uint64_t size = 0;
  lss::RingLock lock;
  Status status = lss::IdentifyFd(fd.get(), path, &identity, &size);
  if (status.ok()) {
    status = lss::RingLock::Take(fd.get(), path, identity, lss::RingLock::Purpose::kOwn, &lock);
    *busy = lss::RingLock::IsBusy(status);
  }
  if (!status.ok()) {
    lss::CloseUnlessLocked(std::move(fd), identity);
    return status;
  }
  if (lss::IdentifyPath(path, &named, &size).ok() && named.SameFile(identity)) {
    fd_ = std::move(fd);
    file_ = identity;
    lock_ = std::move(lock);
  }
  return status;
}

}  // namespace bloom_lfs
