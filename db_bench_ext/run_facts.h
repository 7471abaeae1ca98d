// What a run was made of, in words, from this program's flags.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "db_bench_ext/arm_command.h"
#include "db_bench_ext/session.h"

namespace bloom_lfs::bench {

// Of a run in `directory`; `program` is what db_bench calls itself.
std::vector<std::pair<std::string, std::string>> Facts(const Setup& setup,
                                                       const std::string& program,
                                                       const std::string& directory,
                                                       const Effort& effort, int skipped_pairs);

// The flags that decide what is measured, as they were given. The others say where, or how surely.
std::string MeasuredFlags();

}  // namespace bloom_lfs::bench
