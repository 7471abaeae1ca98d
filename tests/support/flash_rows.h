// Rows whose bytes follow from their number, ten to a block.
#pragma once

#include <cstdint>
#include <cstdio>
#include <random>
#include <string>

namespace bloom_lfs {

inline std::string RowKey(uint64_t number) {
  char key[24];
  snprintf(key, sizeof(key), "%016llu", static_cast<unsigned long long>(number));
  return key;
}

inline std::string RowValue(uint64_t number) {
  std::string value;
  std::mt19937_64 random(number);
  while (value.size() < 400) {
    value += static_cast<char>('a' + random() % 26);
  }
  return value;
}

}  // namespace bloom_lfs
