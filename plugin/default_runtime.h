// The threads and the ring budget that all of the plugin's stores in this process share.
#pragma once

#include "lss/runtime/runtime.h"

namespace bloom_lfs {

// Made at the first call, never destroyed: later exit handlers may still close stores. When the
// process exits, what was deferred is finished first; a store used after that does its work on the
// calling thread. Safe for concurrent use.
lss::Runtime* DefaultRuntime();

}  // namespace bloom_lfs
