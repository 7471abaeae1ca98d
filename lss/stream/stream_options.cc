#include "lss/stream/stream_options.h"

#include <algorithm>
#include <string>

#include "lss/base/types.h"
#include "lss/ring/ring_options.h"

namespace lss {
namespace {

constexpr uint64_t kCopyOnWriteStepBytes = 1 << 20;

}  // namespace

void StreamOptions::AdaptToCopyOnWrite() {
  use_direct_io = false;
  frontier_bytes = 0;
  allocation_step_bytes = std::min(allocation_step_bytes, kCopyOnWriteStepBytes);
}

Status StreamOptions::Validate() const {
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
  return Status::Ok();
}

}  // namespace lss
