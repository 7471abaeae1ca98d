// The command-line tool as somebody calls it. The test is compiled with BLOOM_LFS_TOOL, its path.
#pragma once

#include <sys/wait.h>

#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/support/files.h"
#include "tests/support/temp_dir.h"

namespace bloom_lfs::test {

struct ToolOutcome {
  int code = -1;
  std::string output;  // of Shell() and Tool(): standard output and standard error
  std::string errors;  // of ToolAlone(): standard error
  nlohmann::json json() const { return nlohmann::json::parse(output); }
};

// A shell's line, as it stands.
inline ToolOutcome RunLine(const std::string& line) {
  ToolOutcome outcome;
  FILE* const pipe = popen(line.c_str(), "r");
  char buffer[4096];
  for (size_t got = 1; got > 0;) {
    got = fread(buffer, 1, sizeof(buffer), pipe);
    outcome.output.append(buffer, got);
  }
  const int status = pclose(pipe);
  outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return outcome;
}

// A shell's line.
inline ToolOutcome Shell(const std::string& line) { return RunLine(line + " 2>&1"); }

inline ToolOutcome Tool(const std::string& words) {
  return Shell(std::string(BLOOM_LFS_TOOL) + " " + words);
}

// With standard error apart, by way of a file in `dir`. `before`: what stands before it in the
// shell.
inline ToolOutcome ToolAlone(const TempDir& dir, const std::string& words,
                             const std::string& before = "") {
  const std::string errors = dir / "errors";
  ToolOutcome outcome =
      RunLine("( " + before + " " + BLOOM_LFS_TOOL + " " + words + " ) 2>" + errors);
  outcome.errors = ReadFile(errors);
  std::filesystem::remove(errors);
  return outcome;
}

}  // namespace bloom_lfs::test
