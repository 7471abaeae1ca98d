// Where are the logs of a database? RocksDB's options may put them elsewhere.
//
// Thread safety: a function without state.
#pragma once

#include <string>
#include <vector>

#include "lss/base/status.h"

namespace bloom_lfs::tool {

struct LogDirectories {
  // The database's first: logs may be left there, and blob files are.
  std::vector<std::string> all;
  std::string elsewhere;  // the other one; empty: there is none
  bool is_named = false;  // by --wal-dir: not only options say so, which a copy has, too

  // Whether a log or ring is there.
  bool IsElsewhere(const std::string& path) const;
  // What a log or ring of theirs is called in a table.
  std::string NameOf(const std::string& path) const;
};

// Of the database in `directory`: by --wal-dir if that is given, else by the newest options there.
// An error: the options cannot be read, or what they say cannot be relied on (it is not here, it is
// relative, or the directory has logs itself, as a checkpoint or a copy has); nothing can be said
// of the database then.
lss::Status FindLogDirectories(const std::string& directory, LogDirectories* found);

}  // namespace bloom_lfs::tool
