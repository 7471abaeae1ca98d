// What may hang at its end, and is not waited for longer than that.
#pragma once

#include <chrono>
#include <functional>

namespace bloom_lfs {

// Does `end` on a thread of its own, and waits for it so long; without a thread, here. False: it
// hangs, and the thread is left to it.
bool EndWithin(std::chrono::milliseconds time, const std::function<void()>& end);

}  // namespace bloom_lfs
