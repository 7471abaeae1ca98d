// What lies in a write-ahead log behind a place that does not read. A block begins with a piece of
// a record, so blocks behind the bad one can be read again.
//
// Thread safety: a function without state.
#pragma once

#include <cstdint>
#include <optional>

#include "plugin/tail_read.h"

namespace bloom_lfs::tool {

// What a record must show to count.
struct WalRestRule {
  std::optional<uint32_t> log_number;  // that its header must have, if it has one
  uint64_t above = 0;                  // its sequence number is higher
  bool compressed = false;             // numbers cannot be read: any record counts
};

struct WalRest {
  bool any_piece = false;            // of a record; it need not count
  std::optional<uint64_t> record;    // where the first record begins that counts
  std::optional<uint64_t> sequence;  // of that, if it can be read
};

// Looks from `from` on, in a log of `size` bytes: at every byte of the block that `from` is in,
// then block by block. Memory: a block.
WalRest FindWalRest(const TailReadFunction& read, uint64_t from, uint64_t size,
                    const WalRestRule& rule);

}  // namespace bloom_lfs::tool
