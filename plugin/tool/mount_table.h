// Which mount a directory is in, and what the kernel says of it.
#pragma once

#include <optional>
#include <string>

namespace bloom_lfs::tool {

struct Mount {
  std::string type;     // "ext4"
  std::string source;   // "/dev/sda1", or a word
  std::string options;  // of the mount and of the file system
};

// The mount that an open file is in; none without /proc.
std::optional<Mount> FindMount(int fd);

// One line of /proc/self/mountinfo; none if it is not the one with `id`, or is not understood.
std::optional<Mount> ParseMountLine(const std::string& line, const std::string& id);

// The value of `name=value` in a comma list.
std::optional<std::string> OptionValue(const std::string& options, const std::string& name);

// The first line of a small file, without its end; none if it cannot be read.
std::optional<std::string> FirstLineOf(const std::string& path);

}  // namespace bloom_lfs::tool
