// What a side log says of itself, in its first two pages: written to them in turn, so that one is
// whole at any time.
#pragma once

#include <array>
#include <cstdint>

#include "lss/base/types.h"
#include "lss/second_place/group_format.h"

namespace lss {

// What one writer has written: the groups of its own between `begin` and `end`.
struct SideEpoch {
  static constexpr uint64_t kOpen = UINT64_MAX;

  uint64_t epoch = 0;
  uint64_t writer = 0;
  uint64_t begin = 0;    // LSN
  uint64_t end = kOpen;  // LSN behind its last group; kOpen: it may still be writing
};

struct SideSuperblock {
  static constexpr size_t kMaxEpochs = 64;

  Uuid place = {};           // this log's name, for good
  uint64_t sequence = 0;     // of superblocks; says which of the two pages this one is
  uint64_t epoch = 0;        // of the last one who took the log over
  uint64_t writer = 0;       // a number it drew
  uint64_t head = 0;         // LSN before which nothing is wanted any more
  uint64_t log_bytes = 0;    // of the circular log behind the superblocks; whole groups
  uint64_t group_bytes = 0;  // the largest group; whole pages
  // Those that may have groups behind the head, in order; only the last may be open.
  uint64_t epoch_count = 0;
  std::array<SideEpoch, kMaxEpochs> epochs = {};

  // Whether this one was written later: by a later writer, or later by the same. Of two writers who
  // took the same epoch, on two machines, one wins on whichever page they look.
  bool IsNewerThan(const SideSuperblock& other) const;
  // Leaves out the epochs that end before the head.
  void DropDeadEpochs();
};

inline constexpr uint64_t kSuperblocksBytes = 2 * kPageBytes;

// Whether a log can have these sizes.
bool IsSideLogSize(uint64_t log_bytes, uint64_t group_bytes);

// Into a page.
void EncodeSuperblock(const SideSuperblock& superblock, char* page);
// False: the page holds none, a damaged one, or one that makes no sense.
bool DecodeSuperblock(const char* page, SideSuperblock* superblock);

}  // namespace lss
