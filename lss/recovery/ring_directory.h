// The directory of ring files beside a directory of logs: what is in it, and what goes with it.
//
// Thread safety: functions without state, from any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lss/base/status.h"
#include "lss/ring/ring_place.h"

namespace lss {

// RocksDB's name for the directory of logs that it keeps after their use, in the logs' directory.
inline constexpr char kArchiveDirectoryName[] = "archive";

// Path of the ring file beside the file at `path`, empty if there is none: the one that is named
// for its inode, but first one that says the file's name if that one says another, for a copied
// directory. A log that was moved to `archive/` has left it beside the parent directory. Rings that
// this process owns are not found by name.
std::string FindRing(const std::string& path, uint64_t inode);

// Paths of the ring files in `ring_directory`, sorted; none if it is no directory.
Status ListRings(const std::string& ring_directory, std::vector<std::string>* paths);
// Those among `names`, which are in `place`, that this process does not own.
std::vector<std::string> RingsOfOthers(const RingPlace& place, const std::string& ring_directory,
                                       const std::vector<std::string>& names);

// Removes `directory`/.bloom_lfs with what is in it, if it is all that is left in `directory` and
// no live writer owns any of it: then there is no log any more that a ring could speak for.
void RemoveDeadRingDirectory(const std::string& directory);

}  // namespace lss
