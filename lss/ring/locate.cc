#include "lss/ring/locate.h"

#include <algorithm>
#include <cstring>

namespace lss {

Located Locate(const GuardedWord* bases, uint32_t buffer_count, uint32_t buffer_bytes,
               Address address) {
  // Bases grow with the buffers' sequence, so the greatest at or below the address belongs to the
  // only buffer that can hold it. The next one bounds it: a sealed buffer may end early.
  uint32_t found = buffer_count;
  Address found_base = 0;
  Address next_base = kNoBase;
  for (uint32_t i = 0; i < buffer_count; ++i) {
    const Address base = bases[i].load(std::memory_order_acquire);  // P9
    if (base == kNoBase) {
      continue;
    }
    if (base > address) {
      next_base = std::min(next_base, base);
    } else if (found == buffer_count || base > found_base) {
      found = i;
      found_base = base;
    }
  }
  const uint64_t offset = address - found_base;
  if (found == buffer_count || offset >= buffer_bytes) {
    return {};
  }
  return {found, offset, std::min(buffer_bytes - offset, next_base - address)};
}

size_t MappedRing::CopyOut(Address from, size_t length, Address limit, char* destination) const {
  size_t copied = 0;
  while (copied < length && from < limit) {
    const Located found = Find(from);
    if (found.length == 0) {
      break;
    }
    const size_t part = std::min<uint64_t>({found.length, length - copied, limit - from});
    std::memcpy(destination + copied, At(found), part);
    copied += part;
    from += part;
  }
  return copied;
}

}  // namespace lss
