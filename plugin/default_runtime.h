// The threads of the plugin's stores in this process, a set for each file system, so that one that
// is frozen, slow or failing holds up nobody but its own databases; and the ring budget of all.
#pragma once

#include <string>
#include <vector>

#include "lss/runtime/runtime.h"

namespace bloom_lfs {

// Of the file system that `path` (a log, or its directory) is on. Made when it is first asked for,
// never destroyed: later exit handlers may still close stores. When the process exits, what was
// deferred is finished first, as far as the disks do so within seconds; a store used after that
// does its work on the calling thread. A forked child has sets of its own.
// Safe for concurrent use.
lss::Runtime* DefaultRuntime(const std::string& path);

// All that there are in this process.
std::vector<lss::Runtime*> DefaultRuntimes();

// What all of them share.
lss::RingBudget* DefaultRingBudget();

}  // namespace bloom_lfs
