// The type byte in the header of a piece of a write-ahead log.
#pragma once

#include <cstdint>

namespace bloom_lfs {

// What a piece of a log is, by the type byte of its header.
enum class RecordKind { kFull, kFirst, kMiddle, kLast, kCompression, kPaddedMetadata, kUnknown };

struct RecordType {
  RecordKind kind;
  bool recyclable;  // the header carries a log number
};

// Numbers as in RocksDB's db/log_format.h. 10 and 11 (sizes of user-defined timestamps) came with
// 8.x, 130 and 131 (what the predecessor log was) with 9.x.
inline RecordType Decode(uint8_t type) {
  switch (type) {
    case 1:
      return {RecordKind::kFull, false};
    case 2:
      return {RecordKind::kFirst, false};
    case 3:
      return {RecordKind::kMiddle, false};
    case 4:
      return {RecordKind::kLast, false};
    case 5:
      return {RecordKind::kFull, true};
    case 6:
      return {RecordKind::kFirst, true};
    case 7:
      return {RecordKind::kMiddle, true};
    case 8:
      return {RecordKind::kLast, true};
    case 9:
      return {RecordKind::kCompression, false};  // even in a recycled log
    case 10:
    case 130:
      return {RecordKind::kPaddedMetadata, false};
    case 11:
    case 131:
      return {RecordKind::kPaddedMetadata, true};
    default:
      return {RecordKind::kUnknown, false};
  }
}

}  // namespace bloom_lfs
