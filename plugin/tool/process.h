// Who a process is, for a report.
//
// Thread safety: functions without state, from any thread.
#pragma once

#include <sys/types.h>

#include <string>

namespace bloom_lfs::tool {

// The words that process `pid` was started with, or its name where it hides them; empty if there is
// no such process, or this user may not see it.
std::string CommandOf(pid_t pid);

// "process 123 (db_bench)"; of 0 "no process", of a negative one "a process of another namespace or
// machine".
std::string DescribeProcess(pid_t pid);

}  // namespace bloom_lfs::tool
