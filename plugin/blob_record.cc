#include "plugin/blob_record.h"

#include "lss/base/crc32c.h"
#include "plugin/blob_format.h"

namespace bloom_lfs {

using blob_format::kRecordHeaderBytes;
using blob_format::Load;
using blob_format::Mask;

bool IsIntactBlobRecord(const char* bytes, size_t length) {
  if (length < kRecordHeaderBytes ||
      Load<uint32_t>(bytes + 24) != Mask(lss::Crc32c(0, bytes, 24))) {
    return false;
  }
  const uint64_t body = length - kRecordHeaderBytes;
  const uint64_t key = blob_format::KeyBytes(bytes);
  return key <= body && blob_format::ValueBytes(bytes) == body - key &&
         Load<uint32_t>(bytes + 28) == Mask(lss::Crc32c(0, bytes + kRecordHeaderBytes, body));
}

}  // namespace bloom_lfs
