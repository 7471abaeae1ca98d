// A directory as a second place: side logs in files, one for each process that writes there, and
// those that dead ones have left.
//
//   side-<n>         the log
//   side-<n>.lock    locked by the process that has it
//   database-<uuid>  says in words which database the logs call so
//
// Thread safety: functions without state, from any thread.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "lss/base/file_identity.h"
#include "lss/base/status.h"
#include "lss/base/unique_fd.h"
#include "lss/base/warning_sink.h"
#include "lss/ring/ring_lock.h"
#include "lss/second_place/side_space.h"
#include "lss/second_place/uuid.h"

namespace lss {

// A side log that nobody else can open while this is there.
struct HeldSideSpace {
  HeldSideSpace() = default;
  ~HeldSideSpace();
  HeldSideSpace(HeldSideSpace&& other) noexcept { *this = std::move(other); }
  HeldSideSpace& operator=(HeldSideSpace&& other) noexcept;

  std::unique_ptr<SideSpace> space;  // its owner may take it out
  UniqueFd lock_fd;
  FileIdentity lock_file;
  RingLock lock;  // on it
};

// A log of the directory in which nothing is recorded, or one that has records of the databases
// `own`; or a new one of `bytes`. Taken over. The directory is made if it is missing, and its
// parent is not.
Status OpenSideSpace(const std::string& directory, const std::set<Uuid>& own, uint64_t bytes,
                     const WarningSink& warn, HeldSideSpace* held);
// The log with the name `place` and its path, for reading: whoever has it may be writing it.
// NotFound: it is not in the directory, or there is no such directory.
Status FindSideSpace(const std::string& directory, const Uuid& place, const WarningSink& warn,
                     std::unique_ptr<SideSpace>* space, std::string* path);
// The same, locked, not taken over. NotFound: it is not in the directory, or there is
// no such directory. Busy (RingLock::IsBusy): another process has it.
Status OpenNamedSideSpace(const std::string& directory, const Uuid& place, const WarningSink& warn,
                          HeldSideSpace* held);

// What the logs call `database` is this one. Durable when it returns.
Status NameDatabase(const std::string& directory, const Uuid& database, const std::string& words);
// No log of the directory has records of it any more.
void UnnameDatabase(const std::string& directory, const Uuid& database);
std::map<Uuid, std::string> DatabaseNames(const std::string& directory);

}  // namespace lss
