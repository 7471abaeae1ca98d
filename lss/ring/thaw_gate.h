// Waits for the thaw of a frozen file system (fsfreeze, a snapshot of its volume) where waiting
// hurts nobody else: in a system call.
//
// A store into a shared mapping whose page has to be made writable waits for the thaw inside the
// page fault. There it holds the lock of its mapping, or the one of the whole address space (Linux
// before 6.7, and any fault that a system call takes, as MADV_POPULATE_WRITE does); fork, mmap and
// munmap of other threads, which have nothing to do with that file system, then wait behind it.
// write(2) waits for the thaw, too, but before it takes any lock. So who is about to store goes
// through here first.
//
// What is left: a freeze that begins between the gate and the store. The gate asks again after
// about a third of a millisecond (x86; a tick of the kernel's clock elsewhere), and a freeze takes
// about as long from where it holds up writes to where it makes pages read-only.
//
// Thread safety: every method from any thread. May be called in a forked child.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>

namespace lss {

class ThawGate {
 public:
  // pwrite(2), so that tests can count and hold up calls.
  using Write = ssize_t (*)(int fd, const void* bytes, size_t size, off_t offset);

  explicit ThawGate(Write write) : write_(write) {}
  ThawGate();
  ThawGate(const ThawGate&) = delete;
  ThawGate& operator=(const ThawGate&) = delete;

  // Returns when the file system of `fd`, a regular file that is open for writing, is not frozen.
  // Asks the kernel at most once per Moment(), and costs some nanoseconds otherwise.
  void Pass(int fd) {
    const uint64_t now = Moment();
    // Relaxed: see passed_.
    if (passed_.load(std::memory_order_relaxed) != now) {
      AskKernel(fd, now);
    }
  }
  // A number that stays the same for a short while.
  static uint64_t Moment() {
    // The processor's counter is read in a fraction of the time that a clock takes. 2^20 of its
    // steps are 0.2 to 0.5 ms; where it differs between processors, the gate asks once more.
#ifdef __x86_64__
    return __builtin_ia32_rdtsc() >> 20;
#else
    return CoarseClock();
#endif
  }

 private:
  void AskKernel(int fd, uint64_t now);
  static uint64_t CoarseClock();

  const Write write_;
  // When it was passed last. Relaxed: an old value costs one more call, and carries nothing.
  std::atomic<uint64_t> passed_{UINT64_MAX};
};

// Makes the page of `byte` in a shared mapping writable, and changes nothing, whoever else stores
// there at the same time. The fault is taken here and not by madvise, see above.
void TouchForWriting(char* byte);

}  // namespace lss
