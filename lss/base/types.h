// Units that every part of the store shares: addresses and page arithmetic.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lss {

// Byte offset in a store's logical stream. A store's address is its file's offset, so the two are
// one type on purpose.
using Address = uint64_t;

// Unit of O_DIRECT transfers and of padding, in bytes.
inline constexpr uint64_t kPageBytes = 4096;

constexpr Address PageFloor(Address address) { return address & ~(kPageBytes - 1); }
constexpr Address PageCeil(Address address) { return PageFloor(address + kPageBytes - 1); }
constexpr bool IsPageAligned(uint64_t value) { return value % kPageBytes == 0; }

// Bytes that somebody else owns; must remain live for the duration of the call it is passed to.
struct ByteView {
  const char* data = nullptr;
  size_t size = 0;
};

static_assert((kPageBytes & (kPageBytes - 1)) == 0, "page arithmetic needs a power of two");

}  // namespace lss
