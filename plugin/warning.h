// The plugin's voice: a RocksDB FileSystem has no logger, so its few lines go to standard error.
#pragma once

#include <string>

namespace bloom_lfs {

// Prints "bloom_lfs: <line>" unless the very same line was printed before. Safe for concurrent use.
void WarnOnce(const std::string& line);

}  // namespace bloom_lfs
