#include "plugin/wal_stale_piece.h"

#include <cstring>

namespace bloom_lfs {
namespace {

constexpr uint64_t kBlocksAround = 4;

bool IsAt(const TailReadFunction& read, uint64_t offset, const char* header) {
  char other[kWalHeaderBytes];
  return ReadTailPart(read, offset, sizeof(other), other).size == sizeof(other) &&
         std::memcmp(other, header, sizeof(other)) == 0;
}

bool IsAround(const TailReadFunction& read, uint64_t lap, uint64_t offset, const char* header) {
  for (uint64_t distance = kWalBlockBytes; distance <= kBlocksAround * kWalBlockBytes;
       distance += kWalBlockBytes) {
    if (distance % lap == 0) {
      continue;
    }
    if (IsAt(read, offset + distance, header) ||
        (offset >= distance && IsAt(read, offset - distance, header))) {
      return true;
    }
  }
  return false;
}

}  // namespace

bool IsStalePiece(const TailReadFunction& read, uint64_t lap, uint64_t offset, const char* header) {
  for (uint64_t earlier = offset; earlier >= lap;) {
    earlier -= lap;
    if (IsAt(read, earlier, header)) {
      return !IsAround(read, lap, earlier, header);
    }
  }
  return false;
}

}  // namespace bloom_lfs
