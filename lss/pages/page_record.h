// A page as it stands in the log: a header of 48 bytes, the page's bytes, zeros up to the next
// multiple of 64.
//
//   offset  size  field
//        0     2  magic
//        2     1  kind: 1 = a whole page
//        3     1  compression  (the caller's, not ours)
//        4     1  tier         (the caller's, not ours)
//        5     3  zeros
//        8     4  length of the page's bytes
//       12     4  store id
//       16     8  LSN: how far into the store's whole life the record begins, in bytes
//       24    16  key
//       40     4  CRC-32C of the header with zeros here, and of the page's bytes
//       44     4  zeros
//
// Numbers are little-endian. A record never crosses a multiple of 1 MiB of the log.
#pragma once

#include <cstddef>
#include <cstdint>

#include "lss/base/types.h"
#include "lss/pages/page_key.h"

namespace lss {

inline constexpr uint32_t kRecordHeaderBytes = 48;
// What a record must lie in, in bytes.
inline constexpr uint64_t kRecordFrameBytes = 1U << 20;
inline constexpr uint32_t kMaxPageBytes = kRecordFrameBytes - kRecordHeaderBytes;

// What of a record is not its page's bytes.
struct RecordHead {
  PageKey key;
  uint64_t lsn = 0;
  uint32_t store_id = 0;
  uint32_t length = 0;  // 1..kMaxPageBytes
  uint8_t compression = 0;
  uint8_t tier = 0;
};

// Bytes that a record of `length` bytes of page takes in the log.
constexpr uint32_t RecordBytes(uint32_t length) {
  constexpr uint32_t kUnit = 64;
  return (kRecordHeaderBytes + length + kUnit - 1) / kUnit * kUnit;
}

// Writes RecordBytes(head.length) bytes to `destination`. `page` has head.length bytes.
void EncodeRecord(const RecordHead& head, const char* page, char* destination);

// Whether a record header may begin at `bytes`, which has kRecordHeaderBytes: magic, kind, zeros
// and length are right. Says nothing of the checksum.
bool DecodeHead(const char* bytes, RecordHead* head);

// Whether the whole record at `bytes`, of which `size` bytes are there, is as it was written.
bool DecodeRecord(const char* bytes, size_t size, RecordHead* head);

// Walks the records of a piece of the log in memory. What is not a record of this store with the
// LSN of its place (zeros, an earlier lap, damage) is passed over: behind it the walk goes on at
// the next page, where every buffer begins.
class RecordWalk {
 public:
  // `bytes` is [lsn, lsn + size) of the log; both page aligned.
  RecordWalk(const char* bytes, size_t size, uint64_t lsn, uint32_t store_id)
      : bytes_(bytes), size_(size), lsn_(lsn), store_id_(store_id) {}

  struct Record {
    RecordHead head;
    const char* page = nullptr;
    size_t offset = 0;  // of the record, in the piece
  };
  // The next record whose checksum is right; false at the end.
  bool Next(Record* record);

 private:
  const char* const bytes_;
  const size_t size_;
  const uint64_t lsn_;
  const uint32_t store_id_;
  size_t at_ = 0;
};

}  // namespace lss
