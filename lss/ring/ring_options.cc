#include "lss/ring/ring_options.h"

#include "lss/base/types.h"

namespace lss {

Status OutOfRange(const char* option, uint64_t value, const std::string& range) {
  return Status::InvalidArgument(std::string(option) + " = " + std::to_string(value) +
                                 " is out of range; allowed: " + range);
}

Status RingOptions::Validate() const {
  if (buffer_bytes == 0 || buffer_bytes > kMaxBufferBytes || !IsPageAligned(buffer_bytes)) {
    return OutOfRange("buffer_bytes", buffer_bytes,
                      "multiples of 4096 from 4096 to " + std::to_string(kMaxBufferBytes));
  }
  if (buffer_count < kMinBufferCount || buffer_count > kMaxBufferCount) {
    return OutOfRange("buffer_count", buffer_count,
                      std::to_string(kMinBufferCount) + " to " + std::to_string(kMaxBufferCount));
  }
  if (write_mode != WriteMode::kTailLocalizedWrites && write_mode != WriteMode::kSerializedWrites) {
    return Status::InvalidArgument(
        "write_mode is neither TailLocalizedWrites nor SerializedWrites");
  }
  return Status::Ok();
}

}  // namespace lss
