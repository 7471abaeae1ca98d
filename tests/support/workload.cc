#include "tests/support/workload.h"

#include <algorithm>
#include <cstring>

namespace bloom_lfs::test {

// SplitMix64: a counter put through a mixing function.
uint64_t Random::Next() {
  uint64_t z = state_ += 0x9e3779b97f4a7c15ull;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return z ^ (z >> 31);
}

uint64_t Random::Skewed(uint64_t low, uint64_t high) {
  uint64_t magnitudes = 0;
  while ((low << (magnitudes + 1)) <= high) ++magnitudes;
  const uint64_t bottom = low << Below(magnitudes + 1);
  return std::min(high, bottom + Below(bottom));
}

uint64_t MixSeed(uint64_t a, uint64_t b, uint64_t c) {
  return Random(Random(Random(a).Next() ^ b).Next() ^ c).Next();
}

std::string MakeValue(uint64_t seed, size_t n) {
  Random random(seed);
  std::string value(n, static_cast<char>('a' + seed % 26));
  for (size_t stretch = 0; stretch < n; stretch += 128) {
    const size_t end = std::min(n, stretch + 64);
    for (size_t i = stretch; i < end; i += 8) {
      const uint64_t word = random.Next();
      std::memcpy(&value[i], &word, std::min<size_t>(8, end - i));
    }
  }
  return value;
}

Operation MakeOperation(const WorkloadShape& shape, uint32_t thread, uint64_t index) {
  Random random(MixSeed(shape.seed, thread, index));
  Operation op;
  op.column_family = static_cast<uint32_t>(random.Below(shape.column_families));
  op.key = "t" + std::to_string(thread) + "-" + std::to_string(random.Below(shape.keys_per_thread));
  op.is_delete = random.OneIn(20);
  op.sync = shape.sync_one_in != 0 && random.OneIn(shape.sync_one_in);
  op.value_seed = random.Next();
  if (shape.large_one_in != 0 && random.OneIn(shape.large_one_in)) {
    op.value_size = (17u << 19) + random.Below(7u << 19);
  } else if (random.OneIn(10)) {
    op.value_size = random.Skewed(4 << 10, 300 << 10);
  } else {
    op.value_size = random.Skewed(10, 4 << 10);
  }
  return op;
}

}  // namespace bloom_lfs::test
