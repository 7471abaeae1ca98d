// CRC-32C (Castagnoli), the checksum of the ring file's header and of RocksDB's log records.
//
// Safe for concurrent use; no allocation, no failure.

#pragma once

#include <cstddef>
#include <cstdint>

namespace lss {

// Returns the CRC of A ++ data[0, n), where init_crc is the CRC of A.
// The CRC of nothing is 0, so Crc32c(0, data, n) is the CRC of data[0, n) alone.
uint32_t Crc32c(uint32_t init_crc, const void* data, size_t n);

// The two implementations that Crc32c chooses between; for tests, which compare one with the other.
namespace crc32c_internal {

// Works on every machine.
uint32_t Portable(uint32_t init_crc, const void* data, size_t n);

// Whether this processor has a CRC-32C instruction that Hardware knows how to use.
bool HardwareAvailable();

// REQUIRES: HardwareAvailable().
uint32_t Hardware(uint32_t init_crc, const void* data, size_t n);

}  // namespace crc32c_internal
}  // namespace lss
