// Where does a RocksDB write-ahead log really end?
//
// After a machine crash a WAL's file may be longer than its contents: it can carry zeros from the
// space that was prepared ahead of the tail, pages that never reached the disk, or the bytes of an
// older log in a recycled file. FindWalTail reads the file from its start and finds the end of the
// last whole record in front of the first thing that is not a valid continuation. Nothing behind
// that point counts, even if it looks valid: what remains is a prefix without holes.
//
// The format (32 KiB blocks; a record never crosses a block's end, larger ones are fragmented):
//
//   record  := header payload
//   header  := masked crc32c:u32  length:u16  type:u8  [log number:u32 if the type is recyclable]
//   logical := FULL | FIRST MIDDLE* LAST | metadata
//   block   := record* trailer        (a trailer is shorter than a header and means nothing)
//
// The checksum covers the type, the log number if there is one, and the payload.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "plugin/tail_read.h"
#include "plugin/wal_sequence.h"

namespace bloom_lfs {

// Why the scan went no further.
enum class WalTailStop {
  kEndOfFile,         // the file ends where its last whole record ends (or in a trailer behind it)
  kTornRecord,        // the file ends inside a record, or between the fragments of one
  kZeros,             // a header of zeros: prepared space, or a page that was never written
  kBadChecksum,       // a header or payload is not what its checksum says
  kBadLength,         // a record that claims to cross its block's end
  kOutOfSequence,     // a valid record that cannot follow its predecessor, such as a lone LAST
  kForeignLogNumber,  // a valid record of another log: old bytes of a recycled file
  kUnknownType,       // a valid checksum over a type this version does not know
  kOutOfOrder,        // a whole record with a sequence number that does not follow
  kReadError,         // the read function failed; see WalTail::error
};

const char* ToString(WalTailStop stop);

struct WalTail {
  uint64_t end = 0;           // where the last whole record ends: the exact length of the log
  uint64_t records = 0;       // whole logical records in front of it, metadata records included
  uint64_t data_records = 0;  // those of them that carry batches
  uint64_t stop_offset = 0;   // what ended the scan is here: end, or the next fragment behind it
  uint64_t stop_end = 0;  // where that would end, as its header says; stop_offset: nothing is there
  WalTailStop stop = WalTailStop::kEndOfFile;
  int error = 0;  // errno of a failed read, otherwise 0
  // Sequence numbers of the first and the last record in front of `end`; 0 if none can be read.
  uint64_t first_sequence = 0;
  uint64_t last_sequence = 0;
  // The highest number that may follow without a gap, and whether there was a gap before. Says
  // nothing while the two above are 0.
  uint64_t next_sequence = 0;
  bool leaves_out = false;

  // Whether the file begins with a header and a batch that make sense, whole or not. Of bytes that
  // are random, as encrypted ones are, one file in four thousand million does.
  bool begins_like_a_log = false;

  // False if the file may hold good records behind `end` that this version cannot judge. Then the
  // file must be left as it is. So must one of which nothing reads like a log: a layer above us may
  // have encrypted it.
  bool SafeToTrim() const {
    const bool has_record = end > 0 || stop == WalTailStop::kForeignLogNumber ||
                            stop == WalTailStop::kOutOfSequence || stop == WalTailStop::kOutOfOrder;
    const bool is_empty = stop == WalTailStop::kZeros || stop == WalTailStop::kEndOfFile;
    const bool reads_like_a_log = begins_like_a_log || has_record || is_empty;
    return reads_like_a_log && stop != WalTailStop::kReadError && stop != WalTailStop::kUnknownType;
  }

  // One line for the log: what was found, where, and why the scan stopped.
  std::string ToString() const;
};

// Scans a log of file_size bytes through `read`. A file that turns out shorter than file_size is
// judged by what can be read.
//
// log_number: the low 32 bits of the number in the file's name, if the caller knows it. A recycled
// file may begin with the records of its former life, which only the name tells from new ones;
// without it the first recyclable record decides.
//
// `rule`: which records must show by their sequence numbers that they follow.
//
// Uses a fixed amount of memory whatever the file holds. Safe for concurrent use if `read` is.
WalTail FindWalTail(const TailReadFunction& read, uint64_t file_size,
                    std::optional<uint32_t> log_number = std::nullopt,
                    const WalSequenceRule& rule = {});

}  // namespace bloom_lfs
