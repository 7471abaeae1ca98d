// Zeros to write from.
#pragma once

#include <cstddef>

#include "lss/options.h"

namespace lss {

inline constexpr size_t kZerosBytes = kMaxBufferBytes;
// kZerosBytes of them, page aligned. In memory that nobody writes, so they cost the process one
// page.
const char* Zeros();

}  // namespace lss
