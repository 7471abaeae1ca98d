#include "lss/options.h"

namespace lss {
namespace {

Status OutOfRange(const char* option, uint64_t value, const std::string& range) {
  return Status::InvalidArgument(std::string(option) + " = " + std::to_string(value) +
                                 " is out of range; allowed: " + range);
}

}  // namespace

Status StoreOptions::Validate() const {
  if (buffer_bytes == 0 || buffer_bytes > kMaxBufferBytes || !IsPageAligned(buffer_bytes)) {
    return OutOfRange("buffer_bytes", buffer_bytes,
                      "multiples of 4096 from 4096 to " + std::to_string(kMaxBufferBytes));
  }
  if (buffer_count < kMinBufferCount || buffer_count > kMaxBufferCount) {
    return OutOfRange("buffer_count", buffer_count,
                      std::to_string(kMinBufferCount) + " to " + std::to_string(kMaxBufferCount));
  }
  if (frontier_bytes > kMaxFrontierBytes || !IsPageAligned(frontier_bytes)) {
    return OutOfRange("frontier_bytes", frontier_bytes,
                      "0, or multiples of 4096 up to " + std::to_string(kMaxFrontierBytes));
  }
  if (exact_size_when_synced && frontier_bytes > 0) {
    return OutOfRange("frontier_bytes", frontier_bytes, "0 with exact_size_when_synced");
  }
  if (idle_flush_ms < 1 || idle_flush_ms > 60000) {
    return OutOfRange("idle_flush_ms", idle_flush_ms, "1 to 60000");
  }
  if (allocation_step_bytes < kPageBytes || allocation_step_bytes > (1ULL << 30) ||
      !IsPageAligned(allocation_step_bytes)) {
    return OutOfRange("allocation_step_bytes", allocation_step_bytes,
                      "multiples of 4096 from 4096 to 1073741824");
  }
  if (write_mode != WriteMode::kTailLocalizedWrites && write_mode != WriteMode::kSerializedWrites) {
    return Status::InvalidArgument(
        "write_mode is neither TailLocalizedWrites nor SerializedWrites");
  }
  return Status::Ok();
}

}  // namespace lss
