// The marker beside logs whose syncs rest on a second place: .bloom_lfs/second. While it is there,
// the files alone may lack what was acknowledged. And the lock of whoever writes such logs, or
// brings their bytes to the files: .bloom_lfs/second.lock.
//
// Thread safety: functions without state; a marker is changed by whoever has the lock.
#pragma once

#include <sys/types.h>

#include <string>

#include "lss/base/file_identity.h"
#include "lss/base/status.h"
#include "lss/base/unique_fd.h"
#include "lss/ring/ring_lock.h"
#include "lss/second_place/side_place.h"

namespace bloom_lfs {

struct SecondMarker {
  lss::Uuid log = {};           // the side log
  lss::Uuid database = {};      // how that log calls the database, in this life
  lss::Uuid boot = {};          // in which it was written
  lss::FileIdentity directory;  // in which it was written: a copy is in another one
  std::string queues;           // the directory of hand-off queues, while the boot lasts
  std::string place;            // the directory of the side log
};

// Where both are, if it is missing; as rings would make it.
lss::Status MakeRingDirectory(const std::string& directory);

// NotFound: there is none. Corruption: there is one that cannot be read; its cause and remedy.
lss::Status ReadSecondMarker(const std::string& directory, SecondMarker* marker);
// Durable when it returns. InvalidArgument: a name has characters that cannot be written.
lss::Status WriteSecondMarker(const std::string& directory, const SecondMarker& marker);
// If it is there and of this life of the database. Not durable: one that comes back names records
// that the files have.
lss::Status RemoveSecondMarker(const std::string& directory, const lss::Uuid& database);

// Which other process writes such logs in `directory`, as lss::OwnerElsewhere. Takes no lock.
lss::Status FindSecondOwner(const std::string& directory, pid_t* owner);

class SecondLock {
 public:
  // Removes the lock's file, and the directory of rings if that was the last in it.
  ~SecondLock();
  SecondLock() = default;
  SecondLock(const SecondLock&) = delete;
  SecondLock& operator=(const SecondLock&) = delete;

  bool held() const { return lock_.held(); }
  // Of the logs in `directory`. `busy`: somebody else has it, in this process or another.
  lss::Status Take(const std::string& directory, bool* busy);

 private:
  lss::Status TakeOnce(bool* busy);

  std::string rings_;
  lss::UniqueFd fd_;
  lss::FileIdentity file_;
  lss::RingLock lock_;  // on it
};

}  // namespace bloom_lfs
