// What may hang, with its disk or server, and is not waited for longer than that.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

namespace bloom_lfs {

// Does `work` on a thread of its own, and waits for it; without a thread, here. False: `patience`
// has gone by, and the thread is left to the work, which must own what it uses. `progress` (may be
// null) is a number that changes as long as the work gets on: patience begins anew each time.
bool DoWithin(std::chrono::milliseconds patience, const std::function<void()>& work,
              const std::function<uint64_t()>& progress = nullptr);

}  // namespace bloom_lfs
