#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "db_bench_ext/arm_command.h"
#include "db_bench_ext/result.h"

namespace bloom_lfs::bench {

std::vector<std::string> SplitWords(const std::string& text);

// How to run the arms, from this program's flags. An error if a program, library or directory that
// they name is not there, or two of them contradict each other.
Result<Setup> MakeSetup(const std::filesystem::path& build_directory);

}  // namespace bloom_lfs::bench
