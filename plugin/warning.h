// The plugin's voice: a RocksDB FileSystem has no logger, so its few lines go to standard error.
#pragma once

#include <string>

namespace bloom_lfs {

// Prints "bloom_lfs: <line>" unless the same line was printed before, at this or another place (the
// " [place]" that it may end with, lss/base/warning_sink.h). Safe for concurrent use.
void WarnOnce(const std::string& line);

}  // namespace bloom_lfs
