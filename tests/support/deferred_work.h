// For tests that look at what the plugin's threads leave behind.
#pragma once

#include "plugin/default_runtime.h"

namespace bloom_lfs::test {

// Returns when everything has been done that was left to the maintenance threads before.
inline void AwaitDeferredWork() {
  for (lss::Runtime* runtime : DefaultRuntimes()) {
    runtime->maintenance()->Drain();
  }
}

}  // namespace bloom_lfs::test
