// Which boot of this machine is it?
#pragma once

#include <cstddef>
#include <cstdint>

namespace lss {

inline constexpr size_t kBootIdBytes = 16;

// Identifies the running boot of this machine; all zeros where the kernel does not tell. Read once;
// from any thread.
const uint8_t* BootId();

// Whether two ids are known and the same.
bool SameBootId(const uint8_t* a, const uint8_t* b);

}  // namespace lss
