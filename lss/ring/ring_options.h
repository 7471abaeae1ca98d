// The shape of a ring.
#pragma once

#include <cstdint>
#include <string>

#include "lss/base/status.h"

namespace lss {

// How sealed buffers reach the device.
enum class WriteMode : uint32_t {
  // In parallel and in any order near the tail; the watermark hi_stable() tells what is contiguous.
  kTailLocalizedWrites = 1,
  // Strictly in address order: a batch starts when the one before it has completed.
  kSerializedWrites = 2,
};

// Largest buffer, in bytes. Bounds the overshoot of failed reservations, see buffer_state.h.
inline constexpr uint32_t kMaxBufferBytes = 1U << 20;
// Most buffers of a ring; the ring file's header has room for this many base addresses.
inline constexpr uint32_t kMaxBufferCount = 256;
inline constexpr uint32_t kMinBufferCount = 2;

struct RingOptions {
  WriteMode write_mode = WriteMode::kSerializedWrites;
  // Size of one buffer in bytes: a multiple of 4096, at most kMaxBufferBytes.
  uint32_t buffer_bytes = 4096;
  // Number of buffers, kMinBufferCount..kMaxBufferCount.
  uint32_t buffer_count = 4;

  // Names the first option that is out of range and its range.
  Status Validate() const;
};

// InvalidArgument: "<option> = <value> is out of range; allowed: <range>".
Status OutOfRange(const char* option, uint64_t value, const std::string& range);

}  // namespace lss
