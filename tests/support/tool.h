// The command-line tool as somebody calls it. The test is compiled with BLOOM_LFS_TOOL, its path.
#pragma once

#include <sys/wait.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>

namespace bloom_lfs::test {

struct ToolOutcome {
  int code = -1;
  std::string output;  // standard output and standard error
  nlohmann::json json() const { return nlohmann::json::parse(output); }
};

// A shell's line.
inline ToolOutcome Shell(const std::string& line) {
  ToolOutcome outcome;
  FILE* const pipe = popen((line + " 2>&1").c_str(), "r");
  char buffer[4096];
  for (size_t got = 1; got > 0;) {
    got = fread(buffer, 1, sizeof(buffer), pipe);
    outcome.output.append(buffer, got);
  }
  const int status = pclose(pipe);
  outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return outcome;
}

inline ToolOutcome Tool(const std::string& words) {
  return Shell(std::string(BLOOM_LFS_TOOL) + " " + words);
}

}  // namespace bloom_lfs::test
