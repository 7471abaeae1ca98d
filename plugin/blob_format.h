// RocksDB's blob files, as far as the plugin looks into them (rocksdb/db/blob/blob_log_format.h).
// Little endian:
//
//   file    := header record* [footer]
//   header  := magic:u32 version:u32 column family:u32 flags:u8 compression:u8 expiration:2*u64
//   record  := key length:u64 value length:u64 expiration:u64 header crc:u32 blob crc:u32 key value
//   footer  := magic:u32 blob count:u64 expiration:2*u64 crc:u32
//
// All checksums are masked crc32c: of the first 24 bytes of a record, of its key and value, and of
// the first 28 bytes of the footer. A footer ends the file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "lss/base/crc32c.h"

namespace bloom_lfs::blob_format {

inline constexpr uint32_t kMagic = 2395959;
inline constexpr uint32_t kVersion = 1;
inline constexpr size_t kHeaderBytes = 30;
inline constexpr size_t kRecordHeaderBytes = 32;
inline constexpr size_t kFooterBytes = 32;

template <typename T>
T Load(const char* from) {
  T value;
  std::memcpy(&value, from, sizeof(value));
  return value;  // RocksDB's files are little endian, as are the machines we build for
}

// `header` has kHeaderBytes.
inline bool IsKnownHeader(const char* header) {
  return Load<uint32_t>(header) == kMagic && Load<uint32_t>(header + 4) == kVersion;
}

// RocksDB never stores a checksum as it is, lest a checksum over one be trivial.
inline uint32_t Mask(uint32_t crc) { return ((crc >> 15) | (crc << 17)) + 0xa282ead8U; }

// By their checksums. `bytes`: as many as the name says.
inline bool IsRecordHeader(const char* bytes) {
  return Load<uint32_t>(bytes + 24) == Mask(lss::Crc32c(0, bytes, 24));
}
inline bool IsFooter(const char* bytes) {
  return Load<uint32_t>(bytes) == kMagic &&
         Load<uint32_t>(bytes + 28) == Mask(lss::Crc32c(0, bytes, 28));
}

// Of a record; `header` has kRecordHeaderBytes.
inline uint64_t KeyBytes(const char* header) { return Load<uint64_t>(header); }
inline uint64_t ValueBytes(const char* header) { return Load<uint64_t>(header + 8); }

}  // namespace bloom_lfs::blob_format
