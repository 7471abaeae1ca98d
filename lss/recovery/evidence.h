// How far a file and its ring can be shown to be one stream, by their bytes alone: no boot, inode
// or clock is asked. Looks only; changes nothing.
//
// A page cache may be lost under a running machine, a ring may have been written back in any order,
// a directory may have been copied. Then a buffer of the ring may hold the bytes of another lap
// than its base address says. Whole, checksummed records that follow one another cannot be such
// bytes: records carry numbers that rise, and those of another lap do not continue them. Pieces of
// records carry none; those of an earlier lap are in the file, where they are looked for, and those
// of a later lap are followed by numbers that are too large.
#pragma once

#include <functional>
#include <string>

#include "lss/base/status.h"
#include "lss/ring/ring_view.h"

namespace lss {

// Up to `length` bytes of a stream from `offset`; fewer only at its end.
using StreamReader =
    std::function<Status(Address offset, size_t length, char* destination, size_t* read)>;

// What a record must show to count.
struct ScanRule {
  static constexpr Address kNobody = UINT64_MAX;
  // Records that end above it must have a number that rises. Below they only must be whole.
  Address judged_above = kNobody;
  // Of judged records that end above it: the number must be the very next one, unless the stream
  // has left numbers out before; and a record without a number does not count.
  Address gaps_below = kNobody;
  // Bytes from `judged_above` on may be those of this many bytes earlier, or a multiple of that: a
  // record in several pieces may consist of old and new ones. What is the same as its like there
  // does not count, nor does such a record before the next one has the very next number, or the
  // stream ends with it. 0: they cannot.
  uint64_t lap = 0;
};

// What a scan has found.
struct ScannedTail {
  // False if this does not read like a stream of a known format, or good records may lie behind
  // `end` that this version cannot judge. Nothing must be cut off then; `end` is the size.
  bool known = false;
  Address end = 0;  // of the last whole record that counts
  bool whole =
      true;  // between `end` and the limit lies nothing, or one record that is cut off there
  // What does not read any more: a record, or a part of one, as its own beginning says. Empty where
  // the stream ends between records.
  Address stop = 0;
  Address stop_end = 0;
  uint64_t last_number = 0;  // of the last record that counts; 0: it has none
  // Whether streams of its kind in one directory continue one another.
  bool in_succession = false;
  std::string description;  // for a message
};

// Scans `size` bytes of the stream with the file name `name`: the store does not know records. Must
// not report an end inside a record.
using TailScanner = std::function<Status(const StreamReader& read, const std::string& name,
                                         Address size, const ScanRule& rule, ScannedTail* tail)>;

struct Evidence {
  enum class Content {
    kOpaque,    // nobody can read it
    kDamaged,   // the file does not read as far as the watermark; no page that is missing explains
                // it
    kNotWhole,  // the records do not go on to where the ring says that the stream ends
    kWhole,     // they do
  };
  Content content = Content::kOpaque;
  ScannedTail file;  // the file by itself
  // What is proven: the file's bytes below part.from, the ring's from there to part.end.
  // part.end is file.end at least.
  RingPart part;
  uint64_t last_number = 0;  // of what is proven
  Address whole_from = 0;    // kWhole: where the file's bytes end and the ring's begin
  bool adds() const { return file.known && part.end > file.end; }
  // Whether bytes that the ring promises are neither in the file nor proven.
  bool StopsShort(const RingView& ring) const {
    return file.known && content != Content::kWhole && part.end < ring.committed();
  }
  // Whether the file, of `size` bytes, lacks some of what was synced: that is damage, not a torn
  // tail. A sync may end inside a record; the rest of that one was never promised.
  bool LacksSynced(const RingView& ring, Address size) const {
    if (!ring.LiveWordsAgree() || file.end >= size) {
      return false;
    }
    const bool bad_place = file.stop < size && file.stop_end <= ring.durable();
    return bad_place || size < ring.durable();
  }
};

// Of the file at `fd`, open for reading. Without a scanner everything is opaque.
Status FindEvidence(int fd, const std::string& path, const RingView& ring, const TailScanner& scan,
                    Evidence* evidence);

}  // namespace lss
