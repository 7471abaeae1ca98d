// What directories of logs hold: the logs and blob files, the rings beside them, and what an open
// with the plugin would make of each. Looks only: changes nothing, takes no lock, and may run
// beside a process that writes there.
//
// Thread safety: functions without state, from any thread.
#pragma once

#include <sys/types.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lss/recovery/recovery.h"
#include "plugin/tool/database_lock.h"
#include "plugin/tool/report.h"

namespace bloom_lfs::tool {

struct RingState {
  std::string path;
  std::string file;  // the log that it names; empty: none that is there
  // Empty: its log, or the ring itself, could not be read.
  std::optional<lss::RingCase> ring_case;
  uint64_t allocated = 0;  // bytes that it takes on its disk
  pid_t owner = 0;         // who has its lock, as lss::OwnerElsewhere
  // The header; what is below counts only then.
  bool is_whole = false;
  uint32_t maker = 0;  // the number of the process that has made it, as that counts itself
  bool closed = false;
  // Bytes: accepted, in the file, on the device.
  uint64_t committed = 0;
  uint64_t written = 0;
  uint64_t durable = 0;
};

struct LogState {
  static constexpr size_t kNoRing = SIZE_MAX;

  std::string path;
  uint64_t in_file = 0;    // bytes
  uint64_t allocated = 0;  // that it takes on its disk
  uint64_t logical = 0;    // file and ring together, as a reader sees it and an open would leave it
  size_t ring = kNoRing;   // among DirectoryState::rings
};

struct DirectoryState {
  std::vector<LogState> logs;
  std::vector<RingState> rings;
  std::vector<std::string> unfinished;  // rings that were being made
  std::vector<std::string> set_aside;   // rings that an earlier recovery has not used
  // What this user may not read, by its path.
  std::map<std::string, lss::Status> forbidden;
  // What could not be read for another reason, or not be judged.
  std::vector<lss::Status> failed;

  // Something about `path` that could not be read, or not be judged. What is not there any more is
  // no matter.
  void Note(const std::string& path, const lss::Status& status);
  const LogState* Find(const std::string& path) const;
  void Add(const DirectoryState& other);
  const RingState* RingOf(const LogState& log) const {
    return log.ring == LogState::kNoRing ? nullptr : &rings[log.ring];
  }
};

// As an open would judge: who opens a database believes in no owner but the one that has its lock,
// and that is `owner`. Says nothing on standard error.
lss::RecoveryContext ContextForLooking(const DatabaseOwner& owner);

// Of several together. Who holds one's lock says whose it is: asking its file would let it go. What
// has gone meanwhile is left out.
struct OwnedDirectory {
  std::string path;
  DatabaseOwner owner;
};
DirectoryState LookAtDirectories(const std::vector<OwnedDirectory>& directories);
// Asks each directory whose it is.
std::vector<OwnedDirectory> FindOwners(const std::vector<std::string>& directories,
                                       DirectoryState* problems);

// What is to be done about a ring.
enum class RingMatter {
  kNothing,    // it says nothing that concerns a log here
  kInUse,      // its owner is alive
  kRecover,    // an open with the plugin, or `bloom_lfs recover`, acts on it
  kUntrusted,  // nothing is done: anybody may have written it
  kUnknown,    // it could not be judged
};
RingMatter MatterOf(const RingState& ring);

// The first of which that is to be done; null: there is none.
const RingState* FindRing(const DirectoryState& state, RingMatter matter);

// Whether no log, no ring and nothing that cannot be read is there.
bool IsEmpty(const DirectoryState& state);

// Whether the logs are as an open would leave them, and nobody has them.
bool IsAtRest(const DirectoryState& state);

// The errors of what could not be read or judged; what they end a command with.
ExitCode ShowFailures(const DirectoryState& state, Report* report);

}  // namespace bloom_lfs::tool
