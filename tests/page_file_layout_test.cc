// The shape of a page store's file.
#include "lss/pages/page_file_layout.h"

#include <gtest/gtest.h>

#include "lss/pages/checkpoint_format.h"
#include "lss/pages/page_table.h"
#include "lss/pages/page_word.h"

namespace lss {
namespace {

TEST(PageFileLayoutTest, PartsFollowEachOtherAndFillTheFile) {
  for (uint64_t size = kMinStoreBytes; size <= kMaxStoreBytes; size = size * 3 / 2 + 4096) {
    for (const uint32_t mean : {512U, 4096U, 65536U, 1U << 20}) {
      const PageFileLayout layout = PageFileLayout::For(size, mean);
      SCOPED_TRACE(size);
      ASSERT_GE(layout.checkpoint_bytes, CheckpointBytes(layout.buckets * PageTable::kBucketWords));
      ASSERT_EQ(layout.checkpoint_begin(0), kLayoutUnit);
      ASSERT_EQ(layout.checkpoint_begin(1), kLayoutUnit + layout.checkpoint_bytes);
      ASSERT_EQ(layout.log.begin, kLayoutUnit + 2 * layout.checkpoint_bytes);
      ASSERT_EQ(layout.log.begin % kLayoutUnit, 0U);
      ASSERT_EQ(layout.log.bytes % kLayoutUnit, 0U);
      ASSERT_EQ(layout.file_bytes, layout.log.begin + layout.log.bytes);
      ASSERT_LE(layout.file_bytes, size);
      ASSERT_LE(layout.log.bytes, kMaxLogBytes);
      ASSERT_GT(layout.log.bytes, size / 2) << "most of it is for pages";
    }
  }
}

TEST(SuperblockTest, ComesBackAsItWas) {
  const Superblock superblock = {4711, PageFileLayout::For(1 << 30, 4096)};
  const SuperblockBytes bytes = EncodeSuperblock(superblock);
  Superblock read;
  ASSERT_TRUE(DecodeSuperblock(bytes.data(), &read));
  EXPECT_EQ(read.store_id, 4711U);
  EXPECT_TRUE(read.layout == superblock.layout);
}

TEST(SuperblockTest, EveryFlippedBitIsSeen) {
  SuperblockBytes bytes = EncodeSuperblock({1, PageFileLayout::For(1 << 30, 4096)});
  for (size_t bit = 0; bit < 8 * 60; ++bit) {
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
    Superblock read;
    EXPECT_FALSE(DecodeSuperblock(bytes.data(), &read)) << bit;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
  }
}

}  // namespace
}  // namespace lss
