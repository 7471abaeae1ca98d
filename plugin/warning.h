// The plugin's voice: a RocksDB FileSystem has no logger, so its few lines go to standard error.
#pragma once

#include <string>

namespace bloom_lfs {

// Says "bloom_lfs: <line>" unless the same line was said before in this process, at this or another
// place (the " [place]" that it may end with, lss/base/warning_sink.h). Never waits, and loses the
// line rather than that (standard_error.h). Safe for concurrent use.
void WarnOnce(const std::string& line);

}  // namespace bloom_lfs
