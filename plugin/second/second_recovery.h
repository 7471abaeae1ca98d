// Brings to a database's logs what only a side log has: before the database is opened.
//
// Thread safety: functions without state; of one directory by one thread at a time, by a process
// that has the database locked.
#pragma once

#include <string>

#include "lss/base/status.h"
#include "lss/second_place/side_space.h"

namespace bloom_lfs {

struct SecondRecovery {
  uint64_t records = 0;  // that the side log has of the database
  uint64_t bytes = 0;    // that its files had not
  uint64_t files = 0;    // that were changed
};

// Every record of `database` is durable in its file when it returns OK. A log that is not there was
// deleted. Corruption: the files lack what lies before a record; nothing was changed then.
lss::Status RecoverFromSide(const std::string& directory, const lss::Uuid& database,
                            const lss::SideSpace& space, SecondRecovery* result);

}  // namespace bloom_lfs
