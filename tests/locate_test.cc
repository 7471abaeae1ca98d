#include "lss/ring/locate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace lss {
namespace {

constexpr uint32_t kBuffer = 8192;

std::vector<GuardedWord> Bases(const std::vector<Address>& addresses) {
  std::vector<GuardedWord> bases(addresses.size());
  for (size_t i = 0; i < addresses.size(); ++i) {
    bases[i].store(addresses[i], std::memory_order_relaxed);
  }
  return bases;
}

Located At(const std::vector<GuardedWord>& bases, Address address) {
  return Locate(bases.data(), static_cast<uint32_t>(bases.size()), kBuffer, address);
}

void Expect(const Located& located, uint32_t index, uint64_t offset, uint64_t length) {
  EXPECT_EQ(located.index, index);
  EXPECT_EQ(located.offset, offset);
  EXPECT_EQ(located.length, length);
}

TEST(Locate, FindsTheBufferAndWhatIsLeftOfIt) {
  const auto bases = Bases({16384, 24576, 8192});  // the ring has turned
  Expect(At(bases, 8192), 2, 0, 8192);
  Expect(At(bases, 16383), 2, 8191, 1);
  Expect(At(bases, 16384), 0, 0, 8192);
  Expect(At(bases, 30000), 1, 5424, 2768);
}

TEST(Locate, NothingHoldsWhatIsBelowOrBehind) {
  const auto bases = Bases({16384, 24576, 8192});
  EXPECT_EQ(At(bases, 8191).length, 0U);
  EXPECT_EQ(At(bases, 0).length, 0U);
  EXPECT_EQ(At(bases, 32768).length, 0U);
  EXPECT_EQ(At(bases, 1ULL << 47).length, 0U);
}

TEST(Locate, ABufferThatWasSealedEarlyEndsWhereTheNextBegins) {
  const auto bases = Bases({0, 4096, kNoBase});
  Expect(At(bases, 100), 0, 100, 3996);
  Expect(At(bases, 4096), 1, 0, 8192);
}

TEST(Locate, BuffersThatWereNeverOpenedHoldNothing) {
  EXPECT_EQ(At(Bases({kNoBase, kNoBase}), 0).length, 0U);
  EXPECT_EQ(At(Bases({kNoBase, kNoBase}), kNoBase).length, 0U);
}

// Against the plain definition, over every small ring.
TEST(Locate, AgreesWithItsDefinition) {
  const std::vector<Address> some = {0, 4096, 8192, 12288, kNoBase};
  for (const Address a : some) {
    for (const Address b : some) {
      for (const Address c : some) {
        const auto bases = Bases({a, b, c});
        for (Address address = 0; address < 24576; address += 1024) {
          Address best = kNoBase;
          Address next = kNoBase;
          for (const Address base : {a, b, c}) {
            if (base <= address && (best == kNoBase || base > best)) {
              best = base;
            }
            if (base > address) {
              next = std::min(next, base);
            }
          }
          const bool held = best != kNoBase && address - best < kBuffer;
          const Located located = At(bases, address);
          ASSERT_EQ(located.length > 0, held) << a << " " << b << " " << c << " at " << address;
          if (held) {
            ASSERT_EQ(bases[located.index].load(std::memory_order_relaxed) + located.offset,
                      address);
            ASSERT_EQ(located.length, std::min(best + kBuffer, next) - address);
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace lss
