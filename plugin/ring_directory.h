// Leftovers of a database directory that is being removed.
#pragma once

#include <string>

namespace bloom_lfs {

// Removes `directory`/.bloom_lfs with what is in it, if it is all that is left in `directory` and
// no live writer owns any of it: then there is no log any more that a ring could speak for.
void RemoveDeadRingDirectory(const std::string& directory);

}  // namespace bloom_lfs
