// How the scanners of RocksDB's formats read.
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <functional>

#include "lss/base/status.h"

namespace bloom_lfs {

// Reads up to n bytes at offset into scratch. Returns the number of bytes read (fewer than n is
// allowed, 0 means end of file) or a negative errno.
using TailReadFunction = std::function<int64_t(uint64_t offset, size_t n, char* scratch)>;

// What such a function returns when a read of the store's kind has ended with `status`.
inline int64_t TailReadResult(const lss::Status& status, size_t got) {
  return status.ok() ? static_cast<int64_t>(got) : -std::max(status.error_number(), EIO);
}

}  // namespace bloom_lfs
