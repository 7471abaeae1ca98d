// Every record of a blob file: header, checksums, footer.
//
// Thread safety: a function without state.
#pragma once

#include <cstdint>

#include "plugin/tool/log_check.h"

namespace bloom_lfs::tool {

// Of a file of `size` bytes. Reads it once, from its start. Memory: a fixed amount.
LogCheck CheckBlob(const TailReadFunction& read, uint64_t size);

}  // namespace bloom_lfs::tool
