// A second place by its name. A directory: side logs in files, one for each process that writes
// there, and those that dead ones have left. Or the address of an export of a server: one log.
//
//   side-<n>         the log
//   side-<n>.lock    locked by the process that has it
//
// Thread safety: functions without state, from any thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "lss/base/file_identity.h"
#include "lss/base/status.h"
#include "lss/base/unique_fd.h"
#include "lss/base/warning_sink.h"
#include "lss/ring/ring_lock.h"
#include "lss/second_place/place_caller.h"
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

// A log of the place in which nothing is recorded, or one that has records of a database of this
// name (SideLabels); or a new one of `bytes`. Taken over. A directory is made if it is missing, and
// its parent is not. An export has one log, whatever is recorded there. Closed: the caller does not
// wait any more.
Status OpenSideSpace(const std::string& place, const std::string& database, uint64_t bytes,
                     const WarningSink& warn, const PlaceCaller& caller, HeldSideSpace* held);
// The log of that name and its path, for reading: whoever has it may be writing it. NotFound: it is
// not in the place, or there is no such directory.
Status FindSideSpace(const std::string& place, const Uuid& log, const WarningSink& warn,
                     std::unique_ptr<SideSpace>* space, std::string* path);
// The same, locked, not taken over. Busy (RingLock::IsBusy): another process has it. Nobody can
// lock an export.
Status OpenNamedSideSpace(const std::string& place, const Uuid& log, const WarningSink& warn,
                          HeldSideSpace* held);
// Gives every log of the place that can be read, for reading. The error of the first that cannot.
Status ForEachSideSpace(const std::string& place, const WarningSink& warn,
                        const std::function<void(std::unique_ptr<SideSpace>)>& visit);

}  // namespace lss
