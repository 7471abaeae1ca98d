// A directory as a second place: side logs in files, one for each process that writes there, and
// those that dead ones have left.
//
//   side-<n>       the log
//   side-<n>.lock  locked by the process that has it
//
// Thread safety: functions without state, from any thread.
#pragma once

#include <memory>
#include <string>

#include "lss/base/status.h"
#include "lss/base/unique_fd.h"
#include "lss/base/warning_sink.h"
#include "lss/ring/ring_lock.h"
#include "lss/second_place/side_space.h"

namespace lss {

// A side log that nobody else can open while this is there.
struct HeldSideSpace {
  std::unique_ptr<SideSpace> space;  // its owner may take it out
  UniqueFd lock_fd;
  RingLock lock;  // on it; goes before it
};

// A log of the directory in which nothing is recorded, or a new one of `bytes`, taken over. The
// directory is made if it is missing, and its parent is not.
Status OpenEmptySideSpace(const std::string& directory, uint64_t bytes, const WarningSink& warn,
                          HeldSideSpace* held);
// The log with the name `place`, not taken over. NotFound: it is not in the directory, or there is
// no such directory. Busy (RingLock::IsBusy): another process has it.
Status OpenNamedSideSpace(const std::string& directory, const Uuid& place, const WarningSink& warn,
                          HeldSideSpace* held);

// Any 16 bytes that nobody else has drawn.
Uuid DrawUuid();
std::string UuidText(const Uuid& uuid);
// False: the text is none.
bool ParseUuid(const std::string& text, Uuid* uuid);

}  // namespace lss
