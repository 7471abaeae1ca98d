// Writes logs that a second place holds into the directory of a database that was restored from a
// backup or a checkpoint.
//
// Thread safety: a function without state; nobody else may use the directory.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lss/base/status.h"
#include "plugin/second/second_recovery.h"

namespace bloom_lfs {

struct RestoredLog {
  enum class Outcome {
    kNew,          // it was not there
    kContinued,    // it was there, and goes on as the place says
    kSame,         // it was there as far as the place has it
    kNoBeginning,  // neither the place nor the directory has its beginning; left out
    kOther,        // the directory has other bytes under that name; left alone
  };
  uint64_t number = 0;
  Outcome outcome = Outcome::kNew;
  uint64_t size = 0;     // as it is now, or would be
  uint64_t missing = 0;  // bytes behind a hole in what the place has; left out
  uint64_t records = 0;  // whole records of RocksDB in it
  uint64_t first_sequence = 0;
  uint64_t last_sequence = 0;
};
const char* ToString(RestoredLog::Outcome outcome);

// `logs` are sorted and cut at their holes. Durable when it returns. `dry_run`: only says what
// would be done. An error: nothing is written, or not all; it may be repeated.
lss::Status RestoreLogs(const RecordedLogs& recorded, const std::string& directory, bool dry_run,
                        std::vector<RestoredLog>* logs);

}  // namespace bloom_lfs
