// What the ring hands to whoever writes it to the device.
#pragma once

#include <cstdint>

#include "lss/base/types.h"

namespace lss {

// A buffer whose writers have all left, waiting for its write.
struct SealedBuffer {
  uint64_t sequence = 0;
  Address base = 0;
  uint32_t length = 0;  // captured by the seal
  char* data = nullptr;
  Address end() const { return base + length; }
};

}  // namespace lss
