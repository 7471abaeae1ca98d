#pragma once

#include <string>
#include <vector>

#include "db_bench_ext/result.h"

namespace bloom_lfs::bench {

// What the command line says beside this program's own flags.
struct CommandLine {
  bool has_rest = false;
  std::vector<std::string> rest;  // behind "--"
};

// Sets the flags of gflags, which itself would end the program with another status than that of a
// usage error. Ends the program after --help and its kind.
Result<CommandLine> ParseCommandLine(int argc, char** argv);

}  // namespace bloom_lfs::bench
