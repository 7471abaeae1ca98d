// The proof that a ring's owner lives: a POSIX record lock for writing on the ring's file.
//
// Such a lock takes the right to write to the file, so no reader of a database can pretend to be
// its owner; it dies with its process, and no forked child inherits it. But the kernel also drops
// it as soon as its process closes any descriptor of that file. So there is a register of the files
// that this process has locked: whoever else has one open here gives the descriptor to
// CloseUnlessLocked.
//
// No function waits for a lock. Thread safety: from any thread.
#pragma once

#include <sys/types.h>

#include "lss/base/file_identity.h"
#include "lss/base/mutex.h"
#include "lss/base/status.h"
#include "lss/base/unique_fd.h"

namespace lss {

class RingLock {
 public:
  enum class Purpose {
    kOwn,      // writes the stream
    kRecover,  // brings a dead owner's bytes to the file; does not count as alive
  };

  RingLock() = default;
  // Unlocks; in a forked child does nothing.
  ~RingLock();
  RingLock(RingLock&& other) noexcept;
  RingLock& operator=(RingLock&& other) noexcept;

  // Locks the file at `fd`, open for writing, which stays the caller's and must outlive the lock.
  // `name` is for the error. Busy (see IsBusy) if somebody has it, in this process or another; any
  // other error means that this file system has no such locks.
  static Status Take(int fd, const std::string& name, const FileIdentity& file, Purpose purpose,
                     RingLock* lock);
  static bool IsBusy(const Status& status);
  bool held() const { return held_; }

 private:
  void Release();

  int fd_ = -1;
  FileIdentity file_;
  bool held_ = false;
};

// Whether an owner of the file lives in this process, or in another; `fd` is open for reading or
// writing.
bool IsOwnedHere(const FileIdentity& file);
bool IsOwnedElsewhere(int fd, const FileIdentity& file);
// Who that is, by its number in this process's namespace; 0 if there is none.
inline constexpr pid_t kUnnumberedOwner = -1;  // it has no number here
pid_t OwnerElsewhere(int fd, const FileIdentity& file);

// Closes `fd`, at once or when this process gives up its lock on the file.
void CloseUnlessLocked(UniqueFd fd, const FileIdentity& file);

// Held while the rings of one directory are recovered: two threads of this process do not exclude
// each other by the locks above.
Mutex* RecoveryMutex(const FileIdentity& ring_directory);

// Held by whoever gives a ring's name on the file system `device` to another file, or takes it
// away: between looking at what has a name and removing it, nobody may put a new ring there.
Mutex* RingNamesMutex(uint64_t device);

}  // namespace lss
