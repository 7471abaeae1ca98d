// Where are the logs of a database? RocksDB's options may put them elsewhere.
//
// Thread safety: a function without state.
#pragma once

#include <string>

namespace bloom_lfs::tool {

// The wal_dir of the newest options in `directory`, if it is there and is another directory; empty
// otherwise.
std::string OtherWalDirectory(const std::string& directory);

}  // namespace bloom_lfs::tool
