// Where does a RocksDB blob file really end?
//
// After a machine crash the file of a blob stream that was still open may be longer than its
// contents: space prepared ahead of the tail, or pages that never reached the disk, in any order.
// FindBlobTail reads it from its start and finds the end of the last whole record in front of the
// first thing that is not a valid continuation; nothing behind it counts. The format:
// blob_format.h.
#pragma once

#include <cstdint>
#include <string>

#include "plugin/tail_read.h"

namespace bloom_lfs {

// Why the scan went no further.
enum class BlobTailStop {
  kFooter,       // the file is complete
  kEndOfFile,    // it ends behind a whole record
  kTornRecord,   // it ends inside a record
  kBadChecksum,  // a record or footer is not what its checksum says; zeros look like this too
  kUnknown,      // not the header of a blob file as this version knows it
  kReadError,    // the read function failed; see BlobTail::error
};

const char* ToString(BlobTailStop stop);

struct BlobTail {
  uint64_t end = 0;       // the exact length of the file
  uint64_t stop_end = 0;  // where what does not read there would end, as far as it says; else `end`
  uint64_t records = 0;
  BlobTailStop stop = BlobTailStop::kEndOfFile;
  int error = 0;  // errno of a failed read, otherwise 0

  // False if the file may hold good records behind `end` that this version cannot judge.
  bool SafeToTrim() const {
    return stop != BlobTailStop::kReadError && stop != BlobTailStop::kUnknown;
  }
  // One line: what was found and why the scan stopped.
  std::string ToString() const;
};

// Scans a blob file of `file_size` bytes through `read`. A file that turns out shorter is judged by
// what can be read. Uses a fixed amount of memory. Safe for concurrent use if `read` is.
BlobTail FindBlobTail(const TailReadFunction& read, uint64_t file_size);

}  // namespace bloom_lfs
