// Every record of a write-ahead log: checksum, place and sequence number.
//
// Thread safety: a function without state.
#pragma once

#include <cstdint>
#include <optional>

#include "plugin/tool/log_check.h"

namespace bloom_lfs::tool {

// Of a log of `size` bytes; `log_number` is the low half of the number in its name. Reads it once,
// from its start. Memory: some blocks.
LogCheck CheckWal(const TailReadFunction& read, uint64_t size, std::optional<uint32_t> log_number);

}  // namespace bloom_lfs::tool
