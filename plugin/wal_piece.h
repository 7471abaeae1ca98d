// The header of a piece of a write-ahead log, byte by byte; wal_tail.h has the format.
//
// Thread safety: functions without state.
#pragma once

#include <cstddef>
#include <cstdint>

#include "lss/base/crc32c.h"
#include "plugin/wal_record_type.h"
#include "plugin/wal_stale_piece.h"

namespace bloom_lfs::wal_piece {

// With the number of the log.
inline constexpr size_t kRecyclableHeaderBytes = kWalHeaderBytes + 4;

// One that has its right checksum.
struct Piece {
  RecordKind kind;
  const char* payload;
  size_t payload_size;
  size_t size;  // header and payload
};

inline uint32_t LoadFixed32(const char* p) {
  uint32_t value = 0;
  for (unsigned i = 0; i < 4; ++i) {
    value |= static_cast<uint32_t>(static_cast<uint8_t>(p[i])) << (8 * i);
  }
  return value;
}

// Stored checksums are rotated and offset, so that a checksum over bytes that contain checksums
// stays useful. This is the inverse.
inline uint32_t Unmask(uint32_t masked) {
  const uint32_t rotated = masked - 0xa282ead8U;
  return (rotated >> 17) | (rotated << 15);
}

// Of the payload, as the header says. `header` has kWalHeaderBytes.
inline size_t LengthIn(const char* header) {
  return static_cast<uint8_t>(header[4]) | size_t{static_cast<uint8_t>(header[5])} << 8;
}

// `size` is that of header and payload; everything behind the length field is covered.
inline bool ChecksumMatches(const char* p, size_t size) {
  return lss::Crc32c(0, p + 6, size - 6) == Unmask(LoadFixed32(p));
}

}  // namespace bloom_lfs::wal_piece
