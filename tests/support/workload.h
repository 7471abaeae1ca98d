// Deterministic writes: what operation number i of thread t does is a function of the seed alone.
//
// So the process that writes and the process that checks need share nothing but a seed, and a
// writer can take up where a killed one left off.

#pragma once

#include <cstdint>
#include <string>

namespace bloom_lfs::test {

// A small, fast generator: the same seed gives the same numbers in every process.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t Next();
  uint64_t Below(uint64_t n) { return Next() % n; }
  bool OneIn(uint64_t n) { return Below(n) == 0; }
  // Between low and high, each order of magnitude as likely as the next.
  uint64_t Skewed(uint64_t low, uint64_t high);

 private:
  uint64_t state_;
};

// Mixes several numbers into a seed.
uint64_t MixSeed(uint64_t a, uint64_t b, uint64_t c = 0);

// n bytes that only `seed` can have produced; every other stretch of 64 bytes is compressible.
std::string MakeValue(uint64_t seed, size_t n);

struct Operation {
  uint32_t column_family = 0;
  std::string key;
  bool is_delete = false;
  bool sync = false;
  uint64_t value_seed = 0;
  size_t value_size = 0;

  std::string Value() const { return MakeValue(value_seed, value_size); }
};

struct WorkloadShape {
  uint64_t seed = 0;
  uint32_t column_families = 1;
  uint64_t keys_per_thread = 100;
  uint64_t sync_one_in = 0;   // 0: never
  uint64_t large_one_in = 0;  // values of 8.5 to 12 MiB, more than a ring holds; 0: never
};

// Operation number `index` of `thread`. Threads use disjoint keys.
Operation MakeOperation(const WorkloadShape& shape, uint32_t thread, uint64_t index);

}  // namespace bloom_lfs::test
