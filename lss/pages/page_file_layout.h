// Where what is in a page store's file. Decisions only; no I/O.
//
//   0         superblock
//   4 KiB     superblock again
//   1 MiB     checkpoint A
//             checkpoint B
//             the log, written round and round
//
// Each part begins at a multiple of 1 MiB. Numbers are little-endian.
#pragma once

#include <array>
#include <cstdint>

#include "lss/base/status.h"
#include "lss/base/types.h"
#include "lss/pages/circular_device.h"

namespace lss {

inline constexpr uint64_t kMinStoreBytes = 64ULL << 20;
inline constexpr uint64_t kMaxStoreBytes = 4ULL << 40;
// Records do not cross a multiple of it; buffers of the log are as large.
inline constexpr uint64_t kLayoutUnit = 1ULL << 20;

// The shape of a store's file: all of it follows from its size and from how large its pages are
// expected to be.
struct PageFileLayout {
  uint64_t file_bytes = 0;
  uint64_t buckets = 0;           // of the mapping table
  uint64_t checkpoint_bytes = 0;  // each of the two
  LogArea log;

  uint64_t checkpoint_begin(int which) const {
    return kLayoutUnit + static_cast<uint64_t>(which) * checkpoint_bytes;
  }

  // REQUIRES: kMinStoreBytes <= store_bytes <= kMaxStoreBytes, mean_page_bytes > 0.
  static PageFileLayout For(uint64_t store_bytes, uint32_t mean_page_bytes);
};

bool operator==(const PageFileLayout& a, const PageFileLayout& b);

// Which store it is.
struct Superblock {
  uint32_t store_id = 0;
  PageFileLayout layout;
};

using SuperblockBytes = std::array<char, kPageBytes>;
SuperblockBytes EncodeSuperblock(const Superblock& superblock);
// False: these bytes are no superblock of a version that we know, or damaged.
bool DecodeSuperblock(const char* bytes, Superblock* superblock);
// Whether they were one, of any version, and perhaps damaged.
bool HasSuperblockMagic(const char* bytes);

}  // namespace lss
