// Checkpoints: whole, or not taken for one.
#include "lss/pages/checkpoint_format.h"

#include <gtest/gtest.h>

#include <string>

namespace lss {
namespace {

TEST(CheckpointFormatTest, TheHeadComesBackAsItWas) {
  const CheckpointHead head = {7, 8, 9, 10, 11};
  std::string page(kPageBytes, '?');
  EncodeCheckpointHead(head, page.data());
  CheckpointHead read;
  ASSERT_TRUE(DecodeCheckpointHead(page.data(), &read));
  EXPECT_EQ(read.store_id, 7U);
  EXPECT_EQ(read.sequence, 8U);
  EXPECT_EQ(read.words, 9U);
  EXPECT_EQ(read.recovery_start, 10U);
  EXPECT_EQ(read.log_end, 11U);
  for (size_t bit = 0; bit < 8 * 52; ++bit) {
    page[bit / 8] = static_cast<char>(page[bit / 8] ^ (1 << bit % 8));
    EXPECT_FALSE(DecodeCheckpointHead(page.data(), &read)) << bit;
    page[bit / 8] = static_cast<char>(page[bit / 8] ^ (1 << bit % 8));
  }
}

TEST(CheckpointFormatTest, ABlockOfAnotherCheckpointOrPlaceIsNone) {
  std::string block(kCheckpointBlockBytes, 'w');
  SealCheckpointBlock(3, 5, block.data());
  EXPECT_TRUE(CheckCheckpointBlock(3, 5, block.data()));
  EXPECT_FALSE(CheckCheckpointBlock(2, 5, block.data()));
  EXPECT_FALSE(CheckCheckpointBlock(3, 4, block.data()));
  block[kCheckpointBlockBytes / 2] ^= 1;
  EXPECT_FALSE(CheckCheckpointBlock(3, 5, block.data()));
}

TEST(CheckpointFormatTest, BlocksHoldAllWords) {
  EXPECT_EQ(CheckpointBlocks(0), 0U);
  EXPECT_EQ(CheckpointBlocks(1), 1U);
  EXPECT_EQ(CheckpointBlocks(kCheckpointBlockWords), 1U);
  EXPECT_EQ(CheckpointBlocks(kCheckpointBlockWords + 1), 2U);
  EXPECT_EQ(CheckpointBytes(1), kPageBytes + kCheckpointBlockBytes);
}

}  // namespace
}  // namespace lss
