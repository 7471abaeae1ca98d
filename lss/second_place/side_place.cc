#include "lss/second_place/side_place.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <utility>
#include <vector>

#include "lss/base/file_identity.h"
#include "lss/base/posix_file.h"
#include "lss/device/file_device.h"
#include "lss/device/remote_device.h"
#include "lss/second_place/remote_place.h"
#include "lss/second_place/side_scan.h"

namespace lss {
namespace {

constexpr char kLogPrefix[] = "side-";
constexpr uint64_t kMostLogs = 1000;  // in one directory
constexpr uint64_t kGroupBytes = 128 << 10;

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

// Whether nobody wants anything of it, or a database of this name has written it.
bool IsFreeFor(const std::string& database, const PlaceCaller& caller, const SideSpace& space) {
  const std::map<Uuid, std::string> names = space.labels()->All();
  SideScan scan;
  bool has_records = false;
  bool is_own = false;
  const Status status = ScanSideLog(
      space,
      [&](const SideRecord& record, uint64_t) {
        const auto name = names.find(record.stream.database);
        has_records = true;
        caller.NoteStep();
        is_own = is_own || (name != names.end() && name->second == SideLabels::Kept(database));
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

Status OpenInDirectory(const std::string& directory, const std::string& database, uint64_t bytes,
                       const WarningSink& warn, const PlaceCaller& caller, HeldSideSpace* held) {
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
    caller.NoteStep();
    status = Lock(path, &candidate);
    if (RingLock::IsBusy(status)) {
      continue;
    }
    if (!status.ok()) {
      return status;
    }
    if (!exists && access(path.c_str(), F_OK) != 0) {
      status = MakeSpace(directory, path, bytes, warn, &candidate.space);
    } else if (!OpenSpace(path, warn, &candidate.space).ok() ||
               !IsFreeFor(database, caller, *candidate.space)) {
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

Status OpenSideSpace(const std::string& place, const std::string& database, uint64_t bytes,
                     const WarningSink& warn, const PlaceCaller& caller, HeldSideSpace* held) {
  return IsRemotePlace(place) ? OpenRemoteSpace(place, bytes, warn, caller, &held->space)
                              : OpenInDirectory(place, database, bytes, warn, caller, held);
}

Status FindSideSpace(const std::string& place, const Uuid& log, const WarningSink& warn,
                     std::unique_ptr<SideSpace>* space, std::string* path) {
  std::unique_ptr<SideSpace> found;
  Status status = ForEachSideSpace(place, warn, [&](std::unique_ptr<SideSpace> each) {
    if (each->place() == log) {
      found = std::move(each);
    }
  });
  if (found == nullptr) {
    return status.ok()
               ? Status::FromErrno("find side log", place + " (" + UuidText(log) + ")", -1, ENOENT)
               : status;
  }
  *path = found->name();
  *space = std::move(found);
  return Status::Ok();
}

Status OpenNamedSideSpace(const std::string& place, const Uuid& log, const WarningSink& warn,
                          HeldSideSpace* held) {
  HeldSideSpace candidate;
  std::string path;
  Status status = FindSideSpace(place, log, warn, &candidate.space, &path);
  if (status.ok() && !IsRemotePlace(place)) {
    candidate.space = nullptr;
    status = Lock(path, &candidate);
    // Again, for now it cannot change.
    status = status.ok() ? OpenSpace(path, warn, &candidate.space) : status;
  }
  if (status.ok()) {
    *held = std::move(candidate);
  }
  return status;
}

Status ForEachSideSpace(const std::string& place, const WarningSink& warn,
                        const std::function<void(std::unique_ptr<SideSpace>)>& visit) {
  std::unique_ptr<SideSpace> space;
  if (IsRemotePlace(place)) {
    Status status = ReadRemoteSpace(place, warn, &space);
    if (status.ok()) {
      visit(std::move(space));
    }
    return status;
  }
  std::vector<uint64_t> numbers;
  Status failed = ListLogs(place, &numbers);
  for (const uint64_t number : numbers) {
    Status status = OpenSpace(PathOf(place, number), warn, &space);
    if (status.ok()) {
      visit(std::move(space));
    }
    failed = failed.ok() ? status : failed;
  }
  return failed;
}

}  // namespace lss
