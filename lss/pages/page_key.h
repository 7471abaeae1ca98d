// The name of a page, and what the mapping table makes of it.
#pragma once

#include <cstdint>

namespace lss {

// 16 bytes that name the content of an immutable page for good: the same key never names other
// bytes. Any two words; their meaning is the caller's.
struct PageKey {
  uint64_t high = 0;
  uint64_t low = 0;
};

constexpr bool operator==(const PageKey& a, const PageKey& b) {
  return a.high == b.high && a.low == b.low;
}
constexpr bool operator!=(const PageKey& a, const PageKey& b) { return !(a == b); }

// A bijection whose every output bit depends on every input bit (the finaliser of SplitMix64,
// Steele, Lea and Flood, OOPSLA 2014).
constexpr uint64_t MixBits(uint64_t value) {
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ULL;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebULL;
  return value ^ (value >> 31);
}

// Part of the checkpoint's format: the table's shape hangs on it.
constexpr uint64_t HashOf(const PageKey& key) {
  return MixBits(MixBits(key.high + 0x9e3779b97f4a7c15ULL) ^ key.low);
}

// The 16 bits of a hash that a table word keeps. The buckets come from the other end.
constexpr uint16_t TagOf(uint64_t hash) { return static_cast<uint16_t>(hash >> 48); }

}  // namespace lss
