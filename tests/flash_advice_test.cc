// What the tier and RocksDB's threads tell each other: who is not served, and which blocks the
// block cache should give back.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "lss/pages/page_key.h"
#include "tests/support/flash_fixture.h"

namespace bloom_lfs {
namespace {

class FlashAdviceTest : public FlashFixture {
 protected:
  // A compaction of everything, which reads each block.
  void CompactAll() {
    rocksdb::CompactRangeOptions all;
    all.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
    ASSERT_TRUE(db_->CompactRange(all, nullptr, nullptr).ok());
  }
  // All rows, `together` at a time, the last ones first: the log runs over the first ones first.
  void ReadBackwards(uint64_t together) {
    for (uint64_t begin = kRows - together; begin < kRows; begin -= together) {
      std::vector<std::string> names;
      names.reserve(together);
      for (uint64_t i = 0; i < together; ++i) {
        names.push_back(RowKey(begin + i));
      }
      const std::vector<rocksdb::Slice> keys(names.begin(), names.end());
      std::vector<rocksdb::PinnableSlice> values(together);
      std::vector<rocksdb::Status> statuses(together);
      if (together == 1) {
        statuses[0] = db_->Get({}, db_->DefaultColumnFamily(), keys[0], values.data());
      } else {
        db_->MultiGet({}, db_->DefaultColumnFamily(), together, keys.data(), values.data(),
                      statuses.data());
      }
      for (uint64_t i = 0; i < together; ++i) {
        ASSERT_TRUE(statuses[i].ok());
        ASSERT_EQ(values[i].ToString(), RowValue(begin + i));
      }
    }
  }
  // Somebody else's blocks, until the log has run over the first MiB that it has.
  void FillTheTier() {
    const std::string block(4096, 'o');
    constexpr uint64_t kNearly = 11000;  // blocks
    for (uint64_t number = 0; tier_->figures().cleaned_bytes == 0; ++number) {
      const lss::PageKey key = {lss::MixBits(number + 1), 0};
      while (!tier_->store()->Insert(key, {block.data(), block.size()}, 0, 0)) {
        ASSERT_FALSE(tier_->store()->off());
        tier_->store()->AwaitIdle();
      }
      if (number > kNearly && number % 50 == 0) {
        tier_->store()->AwaitIdle();
      }
    }
  }
  uint64_t Inserted() const { return tier_->figures().inserted; }
};

class FlashCompactionTest : public FlashAdviceTest, public testing::WithParamInterface<bool> {};

TEST_P(FlashCompactionTest, IsServedOnlyIfTheOptionSaysSo) {
  flash_.background_threads_miss = GetParam();
  Open(true);
  Fill(0, kRows);
  ReadAll(0, kRows);
  const lss::PageFigures before = tier_->figures();
  CompactAll();
  const lss::PageFigures after = tier_->figures();
  if (GetParam()) {
    EXPECT_EQ(after.hits(), before.hits());
    EXPECT_EQ(after.misses, before.misses) << "nobody asked";
  } else {
    EXPECT_GT(after.hits() - before.hits(), kBlocks / 2);
  }
  ReadAll(0, kRows);
}

INSTANTIATE_TEST_SUITE_P(BackgroundThreadsMiss, FlashCompactionTest, testing::Bool());

class FlashRejuvenationTest : public FlashAdviceTest,
                              public testing::WithParamInterface<uint64_t> {};

// A block that the log runs over next is said not to be kept, so that the block cache inserts it
// again when it lets go of it.
TEST_P(FlashRejuvenationTest, BlocksThatGoSoonAreInsertedAgain) {
  const auto read = [this] { ReadBackwards(GetParam()); };
  Open(true);
  Fill(0, kRows);
  ReadAll(0, kRows);
  read();  // all of it is in the tier now
  const uint64_t inserted = Inserted();
  read();
  EXPECT_LT(Inserted() - inserted, kBlocks / 20) << "it is kept";
  FillTheTier();
  const lss::PageFigures full = tier_->figures();
  read();
  const lss::PageFigures figures = tier_->figures();
  const uint64_t missed = figures.misses - full.misses;
  EXPECT_GT(figures.inserted - full.inserted, missed + kBlocks / 10) << "twice what is noise above";
  EXPECT_GT(figures.hits() - full.hits(), kBlocks / 2) << "from the tier, not from the database";
}

INSTANTIATE_TEST_SUITE_P(Together, FlashRejuvenationTest, testing::Values(1, 100));

}  // namespace
}  // namespace bloom_lfs
