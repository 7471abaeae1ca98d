#include "lss/base/crc32c.h"

#include <array>
#include <cstring>

namespace lss {
namespace crc32c_internal {
namespace {

// The Castagnoli polynomial, bit-reversed: the CRC register shifts right.
constexpr uint32_t kPolynomial = 0x82f63b78u;

constexpr size_t kSlices = 8;
using Tables = std::array<std::array<uint32_t, 256>, kSlices>;

// tables[k][b] is the effect of byte b followed by k zero bytes, so that eight bytes are folded in
// with eight independent look-ups instead of eight dependent ones.
constexpr Tables MakeTables() {
  Tables tables{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) {
      crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
    }
    tables[0][byte] = crc;
  }
  for (size_t slice = 1; slice < kSlices; ++slice) {
    for (size_t byte = 0; byte < 256; ++byte) {
      const uint32_t previous = tables[slice - 1][byte];
      tables[slice][byte] = (previous >> 8) ^ tables[0][previous & 0xff];
    }
  }
  return tables;
}

constexpr Tables kTables = MakeTables();

constexpr uint32_t ByteOf(uint64_t word, unsigned index) {
  return static_cast<uint32_t>(word >> (8 * index)) & 0xff;
}

// Assembled byte by byte so that the result does not depend on the machine's byte order; compilers
// turn it into one load where they can.
uint64_t LoadLittleEndian64(const uint8_t* p) {
  uint64_t word = 0;
  for (unsigned i = 0; i < 8; ++i) {
    word |= static_cast<uint64_t>(p[i]) << (8 * i);
  }
  return word;
}

}  // namespace

uint32_t Portable(uint32_t init_crc, const void* data, size_t n) {
  const auto* p = static_cast<const uint8_t*>(data);
  uint32_t crc = ~init_crc;
  for (; n >= 8; n -= 8, p += 8) {
    const uint64_t word = LoadLittleEndian64(p) ^ crc;
    crc = 0;
    for (unsigned i = 0; i < 8; ++i) {
      crc ^= kTables[7 - i][ByteOf(word, i)];
    }
  }
  for (; n > 0; --n, ++p) {
    crc = (crc >> 8) ^ kTables[0][(crc ^ *p) & 0xff];
  }
  return ~crc;
}

#if defined(__x86_64__)

bool HardwareAvailable() {
  // A load and a test. False until the constructor of libgcc's that asks the processor has run:
  // whoever comes before it gets the same result from tables.
  return __builtin_cpu_supports("sse4.2") != 0;
}

namespace {

// The instruction takes three cycles for eight bytes, but a new one can start in every cycle: three
// pieces of this size are folded side by side, each into a register of its own.
constexpr size_t kLaneBytes = 256;

using LaneTables = std::array<std::array<uint32_t, 256>, 4>;

// Appending kLaneBytes zeros is linear in the register: the effect of the whole register is that of
// its four bytes, each looked up by itself.
constexpr LaneTables MakeLaneTables() {
  std::array<uint32_t, 32> effect_of_bit{};
  for (size_t bit = 0; bit < 32; ++bit) {
    uint32_t crc = uint32_t{1} << bit;
    for (size_t i = 0; i < kLaneBytes; ++i) {
      crc = (crc >> 8) ^ kTables[0][crc & 0xff];
    }
    effect_of_bit[bit] = crc;
  }
  LaneTables tables{};
  for (size_t bit = 0; bit < 32; ++bit) {
    for (size_t byte = 0; byte < 256; ++byte) {
      if ((byte >> (bit % 8) & 1) != 0) tables[bit / 8][byte] ^= effect_of_bit[bit];
    }
  }
  return tables;
}

constexpr LaneTables kLaneTables = MakeLaneTables();

uint32_t AppendLaneOfZeros(uint32_t crc) {
  return kLaneTables[0][ByteOf(crc, 0)] ^ kLaneTables[1][ByteOf(crc, 1)] ^
         kLaneTables[2][ByteOf(crc, 2)] ^ kLaneTables[3][ByteOf(crc, 3)];
}

__attribute__((target("sse4.2"), always_inline)) inline uint64_t Fold8(uint64_t crc,
                                                                       const uint8_t* p) {
  uint64_t word;
  std::memcpy(&word, p, sizeof(word));
  return __builtin_ia32_crc32di(crc, word);
}

}  // namespace

__attribute__((target("sse4.2"))) uint32_t Hardware(uint32_t init_crc, const void* data, size_t n) {
  const auto* p = static_cast<const uint8_t*>(data);
  uint64_t crc = ~init_crc;
  for (; n >= 3 * kLaneBytes; n -= 3 * kLaneBytes, p += 3 * kLaneBytes) {
    uint64_t second = 0;
    uint64_t third = 0;
    for (size_t i = 0; i < kLaneBytes; i += 8) {
      crc = Fold8(crc, p + i);
      second = Fold8(second, p + kLaneBytes + i);
      third = Fold8(third, p + 2 * kLaneBytes + i);
    }
    crc = AppendLaneOfZeros(static_cast<uint32_t>(crc)) ^ second;
    crc = AppendLaneOfZeros(static_cast<uint32_t>(crc)) ^ third;
  }
  for (; n >= 8; n -= 8, p += 8) {
    crc = Fold8(crc, p);
  }
  auto narrow = static_cast<uint32_t>(crc);
  for (; n > 0; --n, ++p) {
    narrow = __builtin_ia32_crc32qi(narrow, *p);
  }
  return ~narrow;
}

#else

bool HardwareAvailable() { return false; }

uint32_t Hardware(uint32_t init_crc, const void* data, size_t n) {
  return Portable(init_crc, data, n);
}

#endif

}  // namespace crc32c_internal

uint32_t Crc32c(uint32_t init_crc, const void* data, size_t n) {
  return crc32c_internal::HardwareAvailable() ? crc32c_internal::Hardware(init_crc, data, n)
                                              : crc32c_internal::Portable(init_crc, data, n);
}

}  // namespace lss
