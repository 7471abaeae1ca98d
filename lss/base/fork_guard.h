// Tells the process that made an object from a forked child that has a copy of it. A store's ring
// is a shared mapping and its locks belong to the parent: the copy must not be used.
#pragma once

#include <cstdint>

namespace lss {

class ForkGuard {
 public:
  ForkGuard() noexcept : generation_(Generation()) {}
  // One relaxed load: cheap enough for every append.
  bool InForkedChild() const { return generation_ != Generation(); }

 private:
  // Number of forks (fork(2) of libc; vfork and posix_spawn run no code of ours) between the first
  // process and this one.
  static uint32_t Generation() noexcept;
  uint32_t generation_;
};

}  // namespace lss
