// A word of the mapping table keeps what was put into it, and nothing overlaps.
#include "lss/pages/page_word.h"

#include <gtest/gtest.h>

#include <random>

namespace lss {
namespace {

TEST(PageWordTest, NothingIsEmpty) {
  EXPECT_TRUE(PageWord().empty());
  EXPECT_FALSE(PageWord::Memory(0, 0).empty());
  EXPECT_FALSE(PageWord::Flash(0, 0, 1, 0).empty());
}

TEST(PageWordTest, AMemoryWordNamesItsFrame) {
  for (const uint32_t frame : {0U, 1U, 4711U, UINT32_MAX}) {
    const PageWord word = PageWord::Memory(0xbeef, frame);
    EXPECT_TRUE(word.in_memory());
    EXPECT_FALSE(word.on_flash());
    EXPECT_EQ(word.frame(), frame);
    EXPECT_EQ(word.tag(), 0xbeef);
    EXPECT_EQ(word.hits(), 0);
  }
}

TEST(PageWordTest, AFlashWordNamesItsRecord) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 100000; ++i) {
    const uint64_t unit = random() % (kMaxLogBytes >> 20) << 20;
    const uint64_t place = unit + random() % (1 << 20) / kRecordAlignment * kRecordAlignment;
    const uint32_t bytes = 1 + static_cast<uint32_t>(random() % ((1 << 20) - (place - unit)));
    const uint8_t hits = random() % (kMaxHits + 1);
    const auto tag = static_cast<uint16_t>(random());
    const PageWord word = PageWord::Flash(tag, place, bytes, hits);
    ASSERT_TRUE(word.on_flash());
    ASSERT_EQ(word.place(), place);
    ASSERT_EQ(word.tag(), tag);
    ASSERT_EQ(word.hits(), hits);
    ASSERT_LE(word.read_begin(), place);
    ASSERT_GE(word.read_begin() + word.read_bytes(), place + bytes);
    ASSERT_LT(word.read_bytes(), bytes + 2 * kPageBytes);
    ASSERT_LE(word.read_begin() + word.read_bytes(), unit + (1 << 20));
  }
}

TEST(PageWordTest, HitsGoUpToTheirLimitAndDownToNone) {
  const PageWord begin = PageWord::Flash(0xffff, kMaxLogBytes - 64, 64, 0);
  PageWord word = begin;
  for (int i = 0; i < kMaxHits; ++i) {
    EXPECT_EQ(word.hits(), i);
    word = word.Hit();
  }
  EXPECT_EQ(word.Hit(), word);
  for (int i = kMaxHits; i > 0; --i) {
    word = word.Cooler();
  }
  EXPECT_EQ(word, begin);
  EXPECT_EQ(word.Cooler(), begin);
}

}  // namespace
}  // namespace lss
