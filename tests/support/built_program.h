// A program of the same build as the test, which lies beside it.
#pragma once

#include <filesystem>
#include <string>

namespace bloom_lfs::test {

inline std::string BuiltProgram(const std::string& name) {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path() / name;
}

}  // namespace bloom_lfs::test
