// How large are the records of a blob file that is being written? Follows them from header to
// header while the bytes pass by. Looks at nothing else, and takes what it sees for a hint.
#pragma once

#include <cstddef>
#include <cstdint>

#include "plugin/blob_format.h"

namespace bloom_lfs {

class BlobSizes {
 public:
  // The next bytes of the file, in any pieces.
  void Observe(const char* data, size_t size);
  // Mean length in bytes of the records that have begun, with header and key; 0 if none has, or if
  // this is no blob file as this version knows it.
  uint64_t MeanRecordBytes() const;

 private:
  void TakeHeader();

  uint64_t observed_ = 0;  // bytes
  uint64_t next_ = 0;      // where the next header begins; the first one is the file's
  uint64_t records_ = 0;
  bool unknown_ = false;
  size_t collected_ = 0;  // of the next header
  char header_[blob_format::kRecordHeaderBytes] = {};
};

}  // namespace bloom_lfs
