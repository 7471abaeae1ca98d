#include "lss/second_place/side_place.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "lss/base/file_identity.h"
#include "lss/base/posix_file.h"
#include "lss/device/file_device.h"
#include "lss/second_place/side_scan.h"

namespace lss {
namespace {

constexpr char kLogPrefix[] = "side-";
constexpr uint64_t kMostLogs = 1000;  // in one directory
constexpr uint64_t kGroupBytes = 128 << 10;

constexpr char kNamePrefix[] = "database-";
constexpr size_t kMostWords = 8192;

std::string NamePathOf(const std::string& directory, const Uuid& database) {
  return directory + "/" + kNamePrefix + UuidText(database);
}

std::string PathOf(const std::string& directory, uint64_t number) {
  return directory + "/" + kLogPrefix + std::to_string(number);
}

// Numbers of the logs in the directory, in order.
Status ListLogs(const std::string& directory, std::vector<uint64_t>* numbers) {
  std::vector<std::string> names;
  if (Status status = ListDirectory(directory, &names); !status.ok()) {
    return status;
  }
  constexpr size_t kLogPrefixLength = sizeof(kLogPrefix) - 1;
  for (const std::string& name : names) {
    const std::string digits = name.compare(0, kLogPrefixLength, kLogPrefix) == 0
                                   ? name.substr(kLogPrefixLength)
                                   : std::string();
    if (!digits.empty() && digits.size() < 5 &&
        digits.find_first_not_of("0123456789") == std::string::npos) {
      numbers->push_back(std::stoul(digits));
    }
  }
  std::sort(numbers->begin(), numbers->end());
  return Status::Ok();
}

Status Lock(const std::string& log, HeldSideSpace* held) {
  const std::string path = log + ".lock";
  UniqueFd fd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd.valid()) {
    return Status::FromErrno("open", path, -1, errno);
  }
  FileIdentity identity;
  uint64_t size = 0;
  Status status = IdentifyFd(fd.get(), path, &identity, &size);
  RingLock lock;
  if (status.ok()) {
    status = RingLock::Take(fd.get(), path, identity, RingLock::Purpose::kOwn, &lock);
  }
  if (!status.ok()) {
    CloseUnlessLocked(std::move(fd), identity);  // somebody else in this process may have it
    return status;
  }
  held->lock = std::move(lock);
  held->lock_fd = std::move(fd);
  held->lock_file = identity;
  return Status::Ok();
}

Status OpenSpace(const std::string& path, const WarningSink& warn,
                 std::unique_ptr<SideSpace>* space) {
  UniqueFd fd(open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  if (!fd.valid()) {
    return Status::FromErrno("open", path, -1, errno);
  }
  struct stat st = {};
  if (fstat(fd.get(), &st) != 0) {
    return Status::FromErrno("stat", path, -1, errno);
  }
  struct stat above = {};
  if (stat(DirectoryOf(path).c_str(), &above) != 0) {
    return Status::FromErrno("stat", DirectoryOf(path), -1, errno);
  }
  const bool is_owned = st.st_uid == geteuid() || st.st_uid == 0 || (st.st_uid == above.st_uid);
  if (!S_ISREG(st.st_mode) || (st.st_mode & 022) != 0 || !is_owned || (above.st_mode & 022) != 0) {
    return Status::PermissionDenied(
        path +
        " may be somebody else's work: others may write to it or to its "
        "directory; take that permission away if it is right");
  }
  auto device = std::make_unique<FileDevice>(std::move(fd), path, warn);
  return SideSpace::Open(std::move(device), space);
}

// The name in the directory, too.
Status SyncDirectory(const std::string& directory) {
  const UniqueFd fd(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return fd.valid() && fsync(fd.get()) == 0 ? Status::Ok()
                                            : Status::FromErrno("sync", directory, -1, errno);
}

Status MakeSpace(const std::string& directory, const std::string& path, uint64_t bytes,
                 const WarningSink& warn, std::unique_ptr<SideSpace>* space) {
  std::unique_ptr<FileDevice> device;
  Status status = FileDevice::Open(path, OpenMode::kTruncate, warn, &device);
  if (!status.ok()) {
    return status;
  }
  // It holds what logs hold, of databases that may be nobody else's business.
  if (fchmod(device->fd(), 0600) != 0) {
    return Status::FromErrno("chmod", path, -1, errno);
  }
  status = SideSpace::Format(std::move(device), DrawUuid(), bytes, kGroupBytes, space);
  return status.ok() ? SyncDirectory(directory) : status;
}

// Whether nobody wants anything of it, or who asks has written it.
bool IsFreeFor(const std::set<Uuid>& own, const SideSpace& space) {
  SideScan scan;
  bool has_records = false;
  bool is_own = false;
  const Status status = ScanSideLog(
      space,
      [&](const SideRecord& record, uint64_t) {
        has_records = true;
        is_own = is_own || own.count(record.stream.database) > 0;
      },
      &scan);
  return status.ok() && (!has_records || is_own);
}

Status MakeDirectory(const std::string& directory) {
  if (mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) {
    return Status::FromErrno("make", directory, -1, errno);
  }
  return SyncDirectory(DirectoryOf(directory));
}

}  // namespace

// Somebody else in this process may have the lock as soon as it is given up, and would lose it with
// the descriptor.
HeldSideSpace::~HeldSideSpace() {
  lock = RingLock();
  if (lock_fd.valid()) {
    CloseUnlessLocked(std::move(lock_fd), lock_file);
  }
}

HeldSideSpace& HeldSideSpace::operator=(HeldSideSpace&& other) noexcept {
  std::swap(space, other.space);
  std::swap(lock_fd, other.lock_fd);
  std::swap(lock_file, other.lock_file);
  std::swap(lock, other.lock);
  return *this;
}

Status OpenSideSpace(const std::string& directory, const std::set<Uuid>& own, uint64_t bytes,
                     const WarningSink& warn, HeldSideSpace* held) {
  Status status = MakeDirectory(directory);
  std::vector<uint64_t> numbers;
  if (status.ok()) {
    status = ListLogs(directory, &numbers);
  }
  if (!status.ok()) {
    return status;
  }
  for (uint64_t number = 1; number <= kMostLogs; ++number) {
    const std::string path = PathOf(directory, number);
    const bool exists = std::binary_search(numbers.begin(), numbers.end(), number);
    HeldSideSpace candidate;
    status = Lock(path, &candidate);
    if (RingLock::IsBusy(status)) {
      continue;
    }
    if (!status.ok()) {
      return status;
    }
    if (!exists && access(path.c_str(), F_OK) != 0) {
      status = MakeSpace(directory, path, bytes, warn, &candidate.space);
    } else if (!OpenSpace(path, warn, &candidate.space).ok() || !IsFreeFor(own, *candidate.space)) {
      continue;  // a dead process's, with records; or damaged, and not ours to judge
    }
    if (status.ok()) {
      status = candidate.space->TakeOver();
    }
    if (status.ok()) {
      *held = std::move(candidate);
    }
    return status;
  }
  return Status::NoSpace(directory + " holds " + std::to_string(kMostLogs) +
                         " side logs with records of databases that were not opened again; open "
                         "or recover them");
}

Status FindSideSpace(const std::string& directory, const Uuid& place, const WarningSink& warn,
                     std::unique_ptr<SideSpace>* space, std::string* path) {
  std::vector<uint64_t> numbers;
  Status status = ListLogs(directory, &numbers);
  if (!status.ok()) {
    return status;
  }
  Status failed;
  for (const uint64_t number : numbers) {
    std::unique_ptr<SideSpace> found;
    *path = PathOf(directory, number);
    status = OpenSpace(*path, warn, &found);
    if (status.ok() && found->place() == place) {
      *space = std::move(found);
      return status;
    }
    failed = failed.ok() ? status : failed;
  }
  return failed.ok() ? Status::FromErrno("find side log", directory + " (" + UuidText(place) + ")",
                                         -1, ENOENT)
                     : failed;
}

Status OpenNamedSideSpace(const std::string& directory, const Uuid& place, const WarningSink& warn,
                          HeldSideSpace* held) {
  std::unique_ptr<SideSpace> space;
  std::string path;
  Status status = FindSideSpace(directory, place, warn, &space, &path);
  if (!status.ok()) {
    return status;
  }
  HeldSideSpace candidate;
  status = Lock(path, &candidate);
  // Again, for now it cannot change.
  status = status.ok() ? OpenSpace(path, warn, &candidate.space) : status;
  if (status.ok()) {
    *held = std::move(candidate);
  }
  return status;
}

Status NameDatabase(const std::string& directory, const Uuid& database, const std::string& words) {
  const std::string path = NamePathOf(directory, database);
  const UniqueFd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd.valid()) {
    return Status::FromErrno("make", path, -1, errno);
  }
  if (write(fd.get(), words.data(), words.size()) != static_cast<ssize_t>(words.size()) ||
      fsync(fd.get()) != 0) {
    return Status::FromErrno("write", path, 0, errno);
  }
  return SyncDirectory(directory);
}

void UnnameDatabase(const std::string& directory, const Uuid& database) {
  (void)unlink(NamePathOf(directory, database).c_str());
}

std::map<Uuid, std::string> DatabaseNames(const std::string& directory) {
  std::map<Uuid, std::string> found;
  std::vector<std::string> names;
  (void)ListDirectory(directory, &names);
  for (const std::string& name : names) {
    Uuid database = {};
    if (name.compare(0, sizeof(kNamePrefix) - 1, kNamePrefix) != 0 ||
        !ParseUuid(name.substr(sizeof(kNamePrefix) - 1), &database)) {
      continue;
    }
    const std::string path = directory + "/" + name;
    const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    std::string words(kMostWords, '\0');
    size_t read = 0;
    if (fd.valid() && ReadFully(fd.get(), path, 0, words.size(), words.data(), &read).ok()) {
      words.resize(read);
      found[database] = words;
    }
  }
  return found;
}

}  // namespace lss
