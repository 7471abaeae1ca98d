// What the records of a log or a blob file say about it.
//
// Thread safety: a value, and functions without state.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "plugin/tail_read.h"

namespace bloom_lfs::tool {

enum class LogVerdict {
  kWhole,         // every record is as it was written
  kBeingWritten,  // the same, up to where its writer is
  kTornTail,      // it ends as after a crash; nothing that follows is known to have been there
  kDamaged,       // bytes are not as they were written
  kNotJudged,     // encrypted, of another log, or of a later version
};
const char* ToString(LogVerdict verdict);

struct LogCheck {
  LogVerdict verdict = LogVerdict::kWhole;
  uint64_t records = 0;     // whole ones in front of the first place that does not read
  uint64_t end = 0;         // of the last of them
  uint64_t offset = 0;      // of that place
  uint64_t offset_end = 0;  // where what is there would end, as far as it says; at least `offset`
  std::string what;         // what is wrong there, or what to know
  // Whether data is lost that was acknowledged: whole records lie behind the bad place, or it was
  // synced.
  bool lost_acknowledged = false;
  std::optional<uint64_t> whole_again;  // where the records begin that lie behind it

  uint64_t batches = 0;  // of a WAL: those of the records that carry rows
  // Sequence numbers of a WAL; 0: none can be read. The other two say nothing then.
  uint64_t first_sequence = 0;
  uint64_t last_sequence = 0;
  uint64_t next_sequence = 0;  // the highest that may follow without a gap
  bool leaves_out = false;     // there are gaps
};

// Whether what lies in [from, end) looks like bytes of a write that a crash has interrupted: a
// disk's sector is written as a whole or not at all, and what was not written reads as zeros.
bool LooksTorn(const TailReadFunction& read, uint64_t from, uint64_t end);

}  // namespace bloom_lfs::tool
