// How the scanners of RocksDB's formats read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

namespace bloom_lfs {

// Reads up to n bytes at offset into scratch. Returns the number of bytes read (fewer than n is
// allowed, 0 means end of file) or a negative errno.
using TailReadFunction = std::function<int64_t(uint64_t offset, size_t n, char* scratch)>;

}  // namespace bloom_lfs
