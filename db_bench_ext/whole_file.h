#pragma once

#include <string>
#include <string_view>

#include "db_bench_ext/result.h"

namespace bloom_lfs::bench {

// All of the file; empty if there is none. It is an error if it is no regular file, larger than
// 64 MiB, or cannot be read; the message names the file and the cause.
Result<std::string> ReadWholeText(const std::string& path);

// Puts the text where `path` is. The new file is made beside the old one, goes to the disk and
// takes the name: whoever looks finds one or the other whole. Returns 0 or an errno, and then
// nothing has changed.
int ReplaceFile(const std::string& path, std::string_view text);

// The errno that ReplaceFile would meet now, or 0. To be asked before a long measurement.
int CheckReplaceable(const std::string& path);

}  // namespace bloom_lfs::bench
