// How a log in the file system begins: whether anybody has written to it, and from which sequence
// number on.
//
// Thread safety: from any thread.
#pragma once

#include <string>

#include "plugin/wal_tail.h"

namespace bloom_lfs {

// The records in the first megabyte of the log at `path`; the first one may be longer than that. As
// of an unreadable file if it cannot be opened.
WalTail ScanLogBeginning(const std::string& path);

// Whether somebody may have written rows to it. Some versions and options put a record of their own
// in front of the first row; an empty log, or one with only such records, was merely opened.
bool MayHoldRows(const std::string& path);

}  // namespace bloom_lfs
