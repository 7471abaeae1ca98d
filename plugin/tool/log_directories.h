// Where are the logs of a database? RocksDB's options may put them elsewhere.
//
// Thread safety: a function without state.
#pragma once

#include <string>
#include <vector>

#include "lss/base/status.h"

namespace bloom_lfs::tool {

struct LogDirectories {
  std::vector<std::string>
      all;                // of the database first: logs may be left there, and blob files are
  std::string elsewhere;  // the other one; empty: there is none

  // What a log or ring of theirs is called in a table.
  std::string NameOf(const std::string& path) const;
};

// Of the database in `directory`: by --wal-dir if that is given, else by the newest options there.
// An error: the options cannot be read, or what they name is not here; nothing can be said of the
// database then.
lss::Status FindLogDirectories(const std::string& directory, LogDirectories* found);

}  // namespace bloom_lfs::tool
