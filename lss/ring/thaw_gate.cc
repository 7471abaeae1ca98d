#include "lss/ring/thaw_gate.h"

#include <unistd.h>

#include <ctime>

namespace lss {

ThawGate::ThawGate() : ThawGate(&pwrite) {}

uint64_t ThawGate::CoarseClock() {
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

// Nothing is written: the kernel asks for the right to write to the file system before it looks at
// the length. Its other answers (shut down, read-only by now) are for the store to meet.
void ThawGate::AskKernel(int fd, uint64_t now) {
  (void)!write_(fd, "", 0, 0);
  // The time from before: a wait proves nothing about the time that it took.
  passed_.store(now, std::memory_order_relaxed);
}

// An exchange of the byte for itself: fails only if somebody has stored there meanwhile, and then
// the page is writable. The load comes first, so that a page which is not in memory is read by a
// fault of its own; together they would be one fault that holds the lock of the address space.
// Not for ThreadSanitizer: others store to this byte without knowing of us, which is the purpose.
__attribute__((no_sanitize("thread"))) void TouchForWriting(char* byte) {
  char seen = __atomic_load_n(byte, __ATOMIC_RELAXED);
  (void)__atomic_compare_exchange_n(byte, &seen, seen, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

}  // namespace lss
