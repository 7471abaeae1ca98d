// What is found out before anything is measured: a session is long, and what was wrong with its
// first command is wrong with all of them.
#pragma once

#include <string>

#include "db_bench_ext/arm_command.h"
#include "db_bench_ext/result.h"
#include "db_bench_ext/work_directory.h"

namespace bloom_lfs::bench {

// What a db_bench calls itself, as "db_bench 7.8.3"; of unknown version if it does not say. An
// error if it cannot be run.
Result<std::string> ProgramName(const std::string& db_bench, const std::string& library);

// Runs each arm once, with one put. The error is what the first one that fails says: a plugin that
// is for another RocksDB, an option that it does not know.
Failure TryArms(const Setup& setup, const WorkDirectory& directory);

}  // namespace bloom_lfs::bench
