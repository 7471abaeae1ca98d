// A check for child processes, where no test is running: says what failed, ends the process.
#pragma once

#include <unistd.h>

#include <cstdio>
#include <string>

#include "lss/base/status.h"

namespace lss::test {

inline constexpr int kCheckFailed = 99;

inline void Require(bool holds, const std::string& what) {
  if (!holds) {
    std::fprintf(stderr, "child process: not true: %s\n", what.c_str());
    std::fflush(stderr);
    _exit(kCheckFailed);
  }
}

inline void RequireOk(const Status& status, const std::string& what) {
  Require(status.ok(), what + " is ok; it says: " + status.ToString());
}

}  // namespace lss::test
