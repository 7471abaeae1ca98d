// Lines on standard error, from a library in somebody else's process: nobody waits for them, and
// nobody dies or has his file damaged by them. Uses libc only; the loader has it, too.
#pragma once

#include <cstddef>

namespace bloom_lfs {

// Longer lines are cut: what is written to a pipe at once is whole.
constexpr size_t kLongestLine = 4096;

// Writes "<line>\n" if that takes no waiting and raises no signal; otherwise the line is lost: a
// pipe that is full or that nobody reads, a terminal that is stopped, a file at its limit.
// Only into what was descriptor 2 when this code was loaded, or into a log that the program has put
// in its place since (a regular file, opened for appending, that its children inherit). Anything
// else with that number may be a database's file or a client's connection.
// Safe for concurrent use.
void SayOnStandardError(const char* line, size_t length);

}  // namespace bloom_lfs
