// Where in a ring an address is: a pure function of the buffers' base addresses, for the owner and
// for whoever looks at a ring from outside.
#pragma once

#include <cstddef>
#include <cstdint>

#include "lss/base/types.h"
#include "lss/ring/ring_format.h"

namespace lss {

struct Located {
  uint32_t index = 0;   // of the buffer
  uint64_t offset = 0;  // inside it
  uint64_t length = 0;  // bytes from there on that belong together; 0: no buffer holds the address
};

// `bases`: `buffer_count` of them. Reads each once, acquiring (P9): a base that is seen vouches for
// the watermark that let its buffer be reopened.
Located Locate(const GuardedWord* bases, uint32_t buffer_count, uint32_t buffer_bytes,
               Address address);

// A ring's bytes where they are mapped: the buffers, one behind the other, and their bases.
struct MappedRing {
  const GuardedWord* bases = nullptr;
  uint32_t buffer_count = 0;
  uint32_t buffer_bytes = 0;
  const char* buffers = nullptr;

  Located Find(Address address) const { return Locate(bases, buffer_count, buffer_bytes, address); }
  const char* At(const Located& located) const {
    return buffers + uint64_t{located.index} * buffer_bytes + located.offset;
  }
  // Copies up to `length` bytes from `from`, below `limit`, as far as the ring holds them.
  size_t CopyOut(Address from, size_t length, Address limit, char* destination) const;
};

}  // namespace lss
