// Is a piece of a record that of an earlier lap of a ring? A record that fills more than a block
// comes in pieces. Each has a checksum of its own, only the first has a number (wal_sequence.h),
// and nothing says which record the others belong to.
#pragma once

#include <cstddef>
#include <cstdint>

#include "plugin/tail_read.h"

namespace bloom_lfs {

inline constexpr size_t kWalBlockBytes = 32768;
// Checksum, length and type.
inline constexpr size_t kWalHeaderBytes = 4 + 2 + 1;

// Whether the piece at `offset`, whose first kWalHeaderBytes are `header`, was in the file before,
// a multiple of `lap` bytes earlier. Not if blocks beside that one have it, too: then all that is
// written is alike. What cannot be read is not the same. REQUIRES: lap > 0.
bool IsStalePiece(const TailReadFunction& read, uint64_t lap, uint64_t offset, const char* header);

}  // namespace bloom_lfs
