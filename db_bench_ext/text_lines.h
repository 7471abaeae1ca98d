#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bloom_lfs::bench {

// The non-empty lines of a program's output. A carriage return, with which db_bench rewrites its
// progress line, ends a line too. The views point into `text`.
std::vector<std::string_view> SplitLines(std::string_view text);

// The last `max_lines` of them, indented, for an error message.
std::string LastLines(std::string_view text, int max_lines);

}  // namespace bloom_lfs::bench
