// What a process says of itself, added up.
#pragma once

#include <string>

#include "plugin/bloom_lfs_file_system.h"

namespace bloom_lfs::test {

// The sum of the figures whose names begin so and have all of this in their labels.
inline double FigureSum(const std::string& name, const std::string& label = "") {
  double sum = 0;
  for (const auto& [full, value] : BloomLfsFileSystem::GetFigures()) {
    const bool is_it = full.compare(0, name.size(), name) == 0;
    sum += is_it && full.find(label) != std::string::npos ? value : 0;
  }
  return sum;
}

}  // namespace bloom_lfs::test
