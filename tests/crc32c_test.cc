#include "lss/base/crc32c.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace lss {
namespace {

using Implementation = uint32_t (*)(uint32_t, const void*, size_t);

struct Named {
  const char* name;
  Implementation run;
};

std::vector<Named> Implementations() {
  std::vector<Named> all = {{"Crc32c", Crc32c}, {"Portable", crc32c_internal::Portable}};
  if (crc32c_internal::HardwareAvailable()) all.push_back({"Hardware", crc32c_internal::Hardware});
  return all;
}

std::vector<uint8_t> RandomBytes(size_t n, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<uint8_t> bytes(n);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
  return bytes;
}

// The definition itself: one bit at a time, sharing nothing with the implementations under test.
uint32_t BitByBit(const std::vector<uint8_t>& bytes) {
  uint32_t crc = 0xffffffffu;
  for (const uint8_t byte : bytes) {
    for (int bit = 0; bit < 8; ++bit) {
      const bool feedback = ((crc ^ (byte >> bit)) & 1) != 0;
      crc = (crc >> 1) ^ (feedback ? 0x82f63b78u : 0);
    }
  }
  return ~crc;
}

// RFC 3720, appendix B.4, and the customary check value of the catalogues of CRCs.
TEST(Crc32cTest, PublishedVectors) {
  const std::vector<uint8_t> zeros(32, 0x00);
  const std::vector<uint8_t> ones(32, 0xff);
  std::vector<uint8_t> ascending(32);
  std::vector<uint8_t> descending(32);
  for (uint8_t i = 0; i < 32; ++i) {
    ascending[i] = i;
    descending[i] = static_cast<uint8_t>(31 - i);
  }
  const std::vector<uint8_t> iscsi_read = {
      0x01, 0xc0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
      0x00, 0x00, 0x00, 0x00, 0x14, 0x00, 0x00, 0x00, 0x00, 0x00, 0x04, 0x00,
      0x00, 0x00, 0x00, 0x14, 0x00, 0x00, 0x00, 0x18, 0x28, 0x00, 0x00, 0x00,
      0x00, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00};
  const std::string digits = "123456789";
  for (const Named& crc : Implementations()) {
    SCOPED_TRACE(crc.name);
    EXPECT_EQ(crc.run(0, zeros.data(), zeros.size()), 0x8a9136aau);
    EXPECT_EQ(crc.run(0, ones.data(), ones.size()), 0x62a8ab43u);
    EXPECT_EQ(crc.run(0, ascending.data(), ascending.size()), 0x46dd794eu);
    EXPECT_EQ(crc.run(0, descending.data(), descending.size()), 0x113fdb5cu);
    EXPECT_EQ(crc.run(0, iscsi_read.data(), iscsi_read.size()), 0xd9963a56u);
    EXPECT_EQ(crc.run(0, digits.data(), digits.size()), 0xe3069283u);
  }
}

TEST(Crc32cTest, NothingChangesNothing) {
  for (const Named& crc : Implementations()) {
    SCOPED_TRACE(crc.name);
    EXPECT_EQ(crc.run(0, nullptr, 0), 0u);
    EXPECT_EQ(crc.run(0x12345678u, nullptr, 0), 0x12345678u);
  }
}

// Every length around the eight-byte strides, at every alignment of the first byte.
TEST(Crc32cTest, EveryLengthAndAlignmentMatchesTheDefinition) {
  const std::vector<uint8_t> bytes = RandomBytes(128, 1);
  for (size_t start = 0; start < 9; ++start) {
    for (size_t n = 0; n + start <= 80; ++n) {
      const std::vector<uint8_t> piece(bytes.begin() + static_cast<ptrdiff_t>(start),
                                       bytes.begin() + static_cast<ptrdiff_t>(start + n));
      const uint32_t expected = BitByBit(piece);
      for (const Named& crc : Implementations()) {
        ASSERT_EQ(crc.run(0, bytes.data() + start, n), expected)
            << crc.name << " start " << start << " length " << n;
      }
    }
  }
}

// The hardware takes large input in strides of several hundred bytes.
TEST(Crc32cTest, EveryLengthOfSomeThousandBytesMatchesTheDefinition) {
  const std::vector<uint8_t> bytes = RandomBytes(2500, 6);
  std::vector<uint8_t> piece;
  for (const uint8_t byte : bytes) {
    piece.push_back(byte);
    const uint32_t expected = BitByBit(piece);
    for (const Named& crc : Implementations()) {
      ASSERT_EQ(crc.run(0, bytes.data(), piece.size()), expected)
          << crc.name << " length " << piece.size();
    }
  }
}

TEST(Crc32cTest, SplitExtendsEqualTheWhole) {
  const std::vector<uint8_t> bytes = RandomBytes(200, 2);
  for (const Named& crc : Implementations()) {
    const uint32_t whole = crc.run(0, bytes.data(), bytes.size());
    for (size_t cut = 0; cut <= bytes.size(); ++cut) {
      const uint32_t head = crc.run(0, bytes.data(), cut);
      ASSERT_EQ(crc.run(head, bytes.data() + cut, bytes.size() - cut), whole)
          << crc.name << " cut at " << cut;
    }
  }
}

TEST(Crc32cTest, HardwareEqualsPortableOnLargeInput) {
  if (!crc32c_internal::HardwareAvailable()) {
    GTEST_SKIP() << "this processor has no CRC-32C instruction";
  }
  const std::vector<uint8_t> bytes = RandomBytes((1u << 20) + 13, 3);
  std::mt19937 random(4);
  for (int round = 0; round < 50; ++round) {
    const size_t start = random() % 4096;
    const size_t n = random() % (bytes.size() - start);
    const uint32_t init = static_cast<uint32_t>(random());
    ASSERT_EQ(crc32c_internal::Hardware(init, bytes.data() + start, n),
              crc32c_internal::Portable(init, bytes.data() + start, n))
        << "start " << start << " length " << n << " initial " << init;
  }
}

TEST(Crc32cTest, EverySingleBitMatters) {
  std::vector<uint8_t> bytes = RandomBytes(64, 5);
  const uint32_t original = Crc32c(0, bytes.data(), bytes.size());
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    bytes[bit / 8] ^= static_cast<uint8_t>(1u << (bit % 8));
    EXPECT_NE(Crc32c(0, bytes.data(), bytes.size()), original) << "bit " << bit;
    bytes[bit / 8] ^= static_cast<uint8_t>(1u << (bit % 8));
  }
}

}  // namespace
}  // namespace lss
