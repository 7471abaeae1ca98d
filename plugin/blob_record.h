#pragma once

#include <cstddef>

namespace bloom_lfs {

// Whether the bytes are one record of a blob file (blob_format.h), from its first to its last byte,
// and both of its checksums are right.
bool IsIntactBlobRecord(const char* bytes, size_t length);

}  // namespace bloom_lfs
