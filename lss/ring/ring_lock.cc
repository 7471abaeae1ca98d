#include "lss/ring/ring_lock.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "lss/base/per_process.h"

namespace lss {
namespace {

using Key = std::pair<uint64_t, uint64_t>;  // device, inode

struct Locked {
  RingLock::Purpose purpose;
  std::vector<UniqueFd> kept;  // to be closed when the lock goes
};

struct Register {
  Mutex mutex;
  std::map<Key, Locked> files LSS_GUARDED_BY(mutex);
  std::map<Key, std::unique_ptr<Mutex>> mutexes LSS_GUARDED_BY(mutex);

  Mutex* MutexFor(const Key& key) LSS_EXCLUDES(mutex) {
    const MutexLock guard(&mutex);
    std::unique_ptr<Mutex>& found = mutexes[key];
    if (found == nullptr) {
      found = std::make_unique<Mutex>();
    }
    return found.get();
  }
};

// A forked child holds none of its parent's locks.
PerProcess<Register> g_own;

Register& Own() { return *g_own.Get(); }

Key KeyOf(const FileIdentity& file) { return {file.device, file.inode}; }

struct flock WholeFile(int16_t type) {
  struct flock lock = {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  return lock;
}

}  // namespace

Status RingLock::Take(int fd, const std::string& name, const FileIdentity& file, Purpose purpose,
                      RingLock* lock) {
  Register& own = Own();
  const MutexLock guard(&own.mutex);
  if (own.files.count(KeyOf(file)) > 0) {
    return Status::FromErrno("lock", name, -1, EAGAIN);
  }
  const struct flock whole = WholeFile(F_WRLCK);
  if (fcntl(fd, F_SETLK, &whole) != 0) {
    return Status::FromErrno("lock", name, -1, errno == EACCES ? EAGAIN : errno);
  }
  own.files[KeyOf(file)].purpose = purpose;
  lock->Release();
  lock->fd_ = fd;
  lock->file_ = file;
  lock->held_ = true;
  return Status::Ok();
}

bool RingLock::IsBusy(const Status& status) { return status.error_number() == EAGAIN; }

RingLock::~RingLock() { Release(); }

RingLock::RingLock(RingLock&& other) noexcept { *this = std::move(other); }

RingLock& RingLock::operator=(RingLock&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(file_, other.file_);
  std::swap(held_, other.held_);
  return *this;
}

void RingLock::Release() {
  if (!std::exchange(held_, false)) {
    return;
  }
  Register& own = Own();
  const MutexLock guard(&own.mutex);
  if (own.files.erase(KeyOf(file_)) > 0) {
    const struct flock whole = WholeFile(F_UNLCK);
    (void)fcntl(fd_, F_SETLK, &whole);
  }
}

bool IsOwnedHere(const FileIdentity& file) {
  Register& own = Own();
  const MutexLock guard(&own.mutex);
  const auto found = own.files.find(KeyOf(file));
  return found != own.files.end() && found->second.purpose == RingLock::Purpose::kOwn;
}

bool IsOwnedElsewhere(int fd, const FileIdentity& file) { return OwnerElsewhere(fd, file) != 0; }

pid_t OwnerElsewhere(int fd, const FileIdentity& file) {
  {
    Register& own = Own();
    const MutexLock guard(&own.mutex);
    if (own.files.count(KeyOf(file)) > 0) {
      return 0;
    }
  }
  // Asked as somebody who wants to read: the locks of other readers, who may be anybody, do not
  // show.
  struct flock whole = WholeFile(F_RDLCK);
  if (fcntl(fd, F_GETLK, &whole) != 0 || whole.l_type == F_UNLCK) {
    return 0;
  }
  return whole.l_pid > 0 ? whole.l_pid : kUnnumberedOwner;
}

Mutex* RingNamesMutex(uint64_t device) { return Own().MutexFor({device, 0}); }

Mutex* RecoveryMutex(const FileIdentity& ring_directory) {
  return Own().MutexFor(KeyOf(ring_directory));
}

void CloseUnlessLocked(UniqueFd fd, const FileIdentity& file) {
  Register& own = Own();
  const MutexLock guard(&own.mutex);
  const auto found = own.files.find(KeyOf(file));
  if (found != own.files.end()) {
    found->second.kept.push_back(std::move(fd));
  } else {
    fd.Reset();  // under the mutex: nobody may take the lock before it is closed
  }
}

}  // namespace lss
