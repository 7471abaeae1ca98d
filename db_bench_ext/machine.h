#pragma once

#include <string>
#include <utility>
#include <vector>

namespace bloom_lfs::bench {

// Facts a reader needs to judge a figure, as (name, value): processor, memory, kernel, file system,
// device. What cannot be found out is left out.
std::vector<std::pair<std::string, std::string>> DescribeMachine(const std::string& directory);

// The number of the block device below the file system of `directory`, as "254:1"; empty where
// there is none, or more than one.
std::string BlockDeviceOf(const std::string& directory);

// Type of the file system, with what makes the greatest difference, as "ext4 with journal".
std::string FileSystemName(const std::string& directory);

}  // namespace bloom_lfs::bench
