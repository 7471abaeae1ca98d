// What may hang, with its disk or server, and is not waited for longer than that.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

namespace bloom_lfs {

// Does `work` on a thread of its own, and waits for it; without a thread, here. False: `patience`
// has gone by, and the thread is left to the work, which must own what it uses.
bool DoWithin(std::chrono::milliseconds patience, const std::function<void()>& work);

// How long somebody waits for work that shows whether it gets on.
struct Patience {
  std::chrono::milliseconds at_first;  // until the first step
  std::chrono::milliseconds after_each_step;
  std::function<uint64_t()> steps;  // changes with each
};
bool DoWithin(const Patience& patience, const std::function<void()>& work);

}  // namespace bloom_lfs
