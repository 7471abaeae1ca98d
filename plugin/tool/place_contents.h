// What a second place holds, for those who come without the databases: to restore them elsewhere,
// or to give up what nobody will ask for.
//
// Thread safety: functions without state, from any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "lss/base/status.h"
#include "lss/second_place/uuid.h"
#include "plugin/second/second_recovery.h"

namespace bloom_lfs {

// One log of a database, as far as the place has it.
struct HeldLog {
  uint64_t number = 0;
  uint64_t begin = 0;  // offset of its first recorded byte
  uint64_t end = 0;    // behind the last that follows it without a hole
  uint64_t last = 0;   // behind the last that is recorded
  bool is_whole() const { return begin == 0 && end == last; }
};

// One life of a database: from an open to a close, or a crash.
struct HeldDatabase {
  lss::Uuid database = {};
  lss::Uuid side_log = {};
  std::string side_log_name;  // its path or address
  std::string directory;      // of the database's logs, as it was called; empty: nobody knows
  // Whether that directory's marker names this life: its files may lack what is here.
  bool is_needed = false;
  std::vector<HeldLog> logs;  // by their numbers
};

// Changes nothing. The databases of a log that is being written may be shown shorter than they are.
// An error: of the first log that cannot be read, or not to its end; the others are shown.
lss::Status ReadPlace(const std::string& place, std::vector<HeldDatabase>* databases);

// The lowest of the logs from which on all are whole; 0: not even the last is.
uint64_t WholeFrom(const std::vector<HeldLog>& logs);

// What the place has of these lives, which are of one database. InvalidArgument: two of them have a
// log of the same number.
lss::Status ReadHeldLogs(const std::string& place, const std::vector<HeldDatabase>& lives,
                         RecordedLogs* logs);

struct TrimmedPlace {
  uint64_t streams = 0;  // of which nothing is kept any more
  uint64_t files = 0;    // side logs that were removed: they have no record any more
  uint64_t busy = 0;     // side logs that a process has; it gives up by itself what it wants to
  std::vector<std::string> kept;  // side logs that are damaged, or could not be taken over, and why
};
// Gives up the streams that `gives_up` says, and removes side logs that hold nothing. Durable.
// `take_over`: also of an address, where nobody can tell whether a process is writing it.
lss::Status TrimPlace(const std::string& place, bool take_over,
                      const std::function<bool(const lss::StreamName&)>& gives_up,
                      TrimmedPlace* trimmed);

}  // namespace bloom_lfs
