#pragma once

#include <optional>
#include <string>

namespace bloom_lfs::bench {

// A word of a command line that gflags takes for a flag.
struct FlagWord {
  std::string name;  // without dashes in front, and with underscores in it
  std::optional<std::string> value;
};

// "--name" or "--name=value", with one dash or two; nothing of any other word.
std::optional<FlagWord> SplitFlag(const std::string& word);

}  // namespace bloom_lfs::bench
