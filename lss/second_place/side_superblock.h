// What a side log says of itself, in its first two pages: written to them in turn, so that one is
// whole at any time.
#pragma once

#include <cstdint>

#include "lss/base/types.h"
#include "lss/second_place/group_format.h"

namespace lss {

struct SideSuperblock {
  Uuid place = {};           // this log's name, for good
  uint64_t sequence = 0;     // of superblocks: the larger one counts
  uint64_t epoch = 0;        // of the last writer
  uint64_t epoch_begin = 0;  // LSN of its first group: groups behind it are its own, or stale
  uint64_t head = 0;         // LSN behind which nothing is wanted any more
  uint64_t log_bytes = 0;    // of the circular log behind the superblocks; whole groups
  uint64_t group_bytes = 0;  // the largest group; whole pages
};

inline constexpr uint64_t kSuperblocksBytes = 2 * kPageBytes;

// Into a page.
void EncodeSuperblock(const SideSuperblock& superblock, char* page);
// False: the page holds none, a damaged one, or one that makes no sense.
bool DecodeSuperblock(const char* page, SideSuperblock* superblock);

}  // namespace lss
