// A kernel that refuses: system calls of this process fail with an errno of choice, as on an old
// kernel, a foreign file system, under a container's seccomp profile or with a dying disk.
//
// For good and for every thread: use it in a child process only (child_process.h).
#pragma once

#include <cstdint>

namespace lss::test {

// Every call of `number` (SYS_...) fails with `error_number` from now on.
void RefuseSystemCall(long number, int error_number);

// The first call of `number` from now on kills the process on the spot.
void DieAtSystemCall(long number);

// Only calls that have one of the bits `mask` set in the low half of argument `argument` (0..5).
void RefuseSystemCallWithBits(long number, unsigned argument, uint32_t mask, int error_number);
// Only calls whose argument `argument` is at least `minimum` (both below 4 GiB).
void RefuseSystemCallFrom(long number, unsigned argument, uint32_t minimum, int error_number);
// Only fcntl(F_SETFL) that turns O_DIRECT on: a file system without direct I/O.
void RefuseFcntlDirect(int error_number);

}  // namespace lss::test
