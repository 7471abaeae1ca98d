// The side log's bytes: groups of records, one group for each device write. Pure functions.
//
//   group  := header (64 bytes) record*  zeros to the next page
//   record := tag:u32 length:u32 offset:u64 stream (32 bytes) bytes  zeros to the next 8 bytes
//
// Between records there may be words of zeros: room that was taken and given back. A record is a
// second copy of a range of a stream (a log or blob file of some database). All numbers are little
// endian. README.md beside this file has a worked example.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "lss/base/types.h"
#include "lss/second_place/uuid.h"

namespace lss {

// Which stream of which database: the database by a number that it was given for good, the stream
// by that of its file.
struct StreamName {
  Uuid database = {};
  uint64_t number = 0;
  uint64_t kind = kLog;

  static constexpr uint64_t kLog = 0;

  friend bool operator==(const StreamName& a, const StreamName& b) {
    return a.database == b.database && a.number == b.number && a.kind == b.kind;
  }
  friend bool operator<(const StreamName& a, const StreamName& b) {
    if (a.database != b.database) {
      return a.database < b.database;
    }
    return a.number != b.number ? a.number < b.number : a.kind < b.kind;
  }
};
static_assert(sizeof(StreamName) == 32, "as in the file");

// A copy of the stream's bytes [offset, offset + bytes.size).
struct SideRecord {
  StreamName stream;
  Address offset = 0;
  ByteView bytes;
};

inline constexpr size_t kGroupHeaderBytes = 64;
inline constexpr size_t kRecordHeadBytes = 48;

constexpr size_t RecordRoom(size_t bytes) { return kRecordHeadBytes + ((bytes + 7) & ~size_t{7}); }

struct GroupHead {
  uint64_t epoch = 0;    // of its writer
  uint64_t writer = 0;   // a number that its writer drew: an epoch may have been raised twice
  uint64_t lsn = 0;      // its place in the log, counted from the log's first byte ever
  uint64_t durable = 0;  // every group before this LSN was durable when this one was sealed
  uint32_t bytes = 0;    // of header and records
};

// Writes a record into `destination`, which has RecordRoom() bytes.
void EncodeRecord(const SideRecord& record, char* destination);
// Completes the group in memory: the header, and zeros up to the page's end.
// REQUIRES: records from kGroupHeaderBytes to head.bytes; room to PageCeil(head.bytes)
void SealGroup(const GroupHead& head, char* group);

// Whether the bytes begin with a header that was written for this place; then its length is right.
// Says nothing of the records.
bool DecodeGroupHead(const char* bytes, uint64_t lsn, GroupHead* head);
// Whether group and header are whole. `bytes` has head.bytes.
bool IsWholeGroup(const char* bytes, const GroupHead& head);
// Gives the records of a whole group, in the order they came: all of them, or, if they do not fill
// it, which no writer of ours does, none and false.
bool ForEachRecord(const char* bytes, const GroupHead& head,
                   const std::function<void(const SideRecord&)>& visit);

// Where the group at or behind `lsn` begins in a log of `log_bytes`: a group is never cut by the
// end of the log, and has `group_bytes` of room wherever it begins.
constexpr uint64_t NextGroupAt(uint64_t lsn, uint64_t log_bytes, uint64_t group_bytes) {
  const uint64_t left = log_bytes - lsn % log_bytes;
  return left >= group_bytes ? lsn : lsn + left;
}

}  // namespace lss
