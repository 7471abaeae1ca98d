// Zeros to write from.
#pragma once

#include <cstddef>

namespace lss {

inline constexpr size_t kZerosBytes = 1 << 20;
// kZerosBytes of them, page aligned. In memory that nobody writes, so they cost the process one
// page.
const char* Zeros();

}  // namespace lss
