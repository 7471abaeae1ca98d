// The stream that the store tests write: the byte at an address is a function of the address. So
// any range of a file can be checked without remembering what was written.
#pragma once

#include <string>

#include "lss/base/types.h"

namespace lss::test {

inline char StreamByte(Address address) {
  // Mixes page and offset, so that a shifted or exchanged page does not look right by chance.
  const uint64_t mixed = (address + 1) * 0x9e3779b97f4a7c15ULL;
  return static_cast<char>((mixed >> 56) ^ (mixed >> 17) ^ 0x5a);
}

inline std::string StreamBytes(Address from, size_t length) {
  std::string bytes(length, '\0');
  for (size_t i = 0; i < length; ++i) {
    bytes[i] = StreamByte(from + i);
  }
  return bytes;
}

// Where two contents differ, in words; empty if they are equal. Shorter than gtest's dump of both.
inline std::string FirstDifference(const std::string& actual, const std::string& expected) {
  if (actual == expected) {
    return "";
  }
  size_t i = 0;
  while (i < actual.size() && i < expected.size() && actual[i] == expected[i]) {
    ++i;
  }
  return "differs at offset " + std::to_string(i) + "; size " + std::to_string(actual.size()) +
         ", expected " + std::to_string(expected.size());
}

}  // namespace lss::test
