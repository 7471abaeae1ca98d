// The directory of ring files beside a directory of logs: what is in it, and what goes with it.
//
// Thread safety: functions without state, from any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lss/base/status.h"

namespace lss {

// Path of the ring file for `inode` beside the file at `path`, empty if there is none. Also looks
// beside the parent directory, where a log that was moved to `archive/` has left it.
std::string FindRing(const std::string& path, uint64_t inode);

// Paths of the ring files in `ring_directory`, sorted; none if it does not exist.
Status ListRings(const std::string& ring_directory, std::vector<std::string>* paths);

// Removes `directory`/.bloom_lfs with what is in it, if it is all that is left in `directory` and
// no live writer owns any of it: then there is no log any more that a ring could speak for.
void RemoveDeadRingDirectory(const std::string& directory);

}  // namespace lss
