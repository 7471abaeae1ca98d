// Processes that show figures, found and read without their help.
//
// Thread safety: functions without state.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "lss/base/status.h"
#include "lss/figures/board_copy.h"

namespace bloom_lfs::tool {

struct WatchedProcess {
  pid_t pid = 0;
  std::string command;     // the words that it was started with
  int64_t read_at_ns = 0;  // of the monotonic clock
  lss::BoardCopy board;
};

// NotFound: there is no such process, or the plugin has written nothing in it. PermissionDenied: it
// may not be looked at; the message says who may.
lss::Status ReadProcess(pid_t pid, WatchedProcess* process);

struct WatchedProcesses {
  std::vector<WatchedProcess> processes;  // by their numbers
  size_t hidden = 0;                      // that may not be looked at
  std::vector<std::string> errors;        // of figures that cannot be read
};
// `is_stopped` ends it early, with what has been found.
WatchedProcesses ReadAllProcesses(const std::function<bool()>& is_stopped);

}  // namespace bloom_lfs::tool
