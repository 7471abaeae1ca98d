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

// What a read of a whole range brought.
struct TailPart {
  size_t size = 0;  // less than asked for only at the end of the file or before an error
  int error = 0;    // an errno, or 0
};

// Reads n bytes at offset into scratch, in as many calls as it takes. A call that was interrupted
// is made again; one that claims more than it was asked for is EIO.
inline TailPart ReadTailPart(const TailReadFunction& read, uint64_t offset, size_t n,
                             char* scratch) {
  TailPart part;
  while (part.size < n) {
    const int64_t got = read(offset + part.size, n - part.size, scratch + part.size);
    if (got == -EINTR) continue;
    if (got == 0) break;
    if (got < 0 || static_cast<uint64_t>(got) > n - part.size) {
      part.error = got < 0 ? static_cast<int>(-got) : EIO;
      break;
    }
    part.size += static_cast<size_t>(got);
  }
  return part;
}

}  // namespace bloom_lfs
