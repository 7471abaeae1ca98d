// Brings to a database's logs what only a side log has: before the database is opened.
//
// Thread safety: functions without state; of one directory by whoever has its SecondLock.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "lss/base/status.h"
#include "lss/second_place/place_caller.h"
#include "lss/second_place/side_space.h"

namespace bloom_lfs {

// What is recorded of one log, in the order it was written: offset, bytes.
using RecordedLog = std::vector<std::pair<uint64_t, std::string>>;
// By the numbers of the logs.
using RecordedLogs = std::map<uint64_t, RecordedLog>;

// Path of the log with this number, in the directory or its archive; empty if it was deleted.
std::string FindLog(const std::string& directory, uint64_t number);

// What a side log has of `database`.
lss::Status ReadRecordedLogs(const lss::SideSpace& space, const lss::Uuid& database,
                             const lss::PlaceCaller& caller, RecordedLogs* logs);
// What hand-off queues in `queues` have of it; nothing if they were of another boot.
lss::Status ReadQueuedLogs(const std::string& queues, const std::string& directory,
                           const lss::Uuid& database, RecordedLogs* logs);

// Whether somebody has gone on with the database without these records: a log that is newer than
// one of them, and is not among them, begins with sequence numbers that they have.
bool IsSuperseded(const std::string& directory, const RecordedLogs& logs);

// Whether the file at `path` can be the log that these records are of: Corruption if not, as below.
lss::Status CheckRecordedLog(const std::string& path, const RecordedLog& records);

// Writes to the logs that are still there what their files lack, and makes it durable. Each byte
// that a file has must be the recorded one, or zero where the disk has not got it: otherwise it is
// another file of that name. Corruption: that, or bytes before a record are missing; no file was
// changed then. `touching_only`: leaves out what the file has no place for yet, and is no error.
lss::Status WriteRecordedLogs(const std::string& directory, const RecordedLogs& logs,
                              bool touching_only);

}  // namespace bloom_lfs
