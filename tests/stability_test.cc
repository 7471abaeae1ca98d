#include "lss/stream/stability.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <vector>

namespace lss {
namespace {

class StabilityTest : public testing::Test {
 protected:
  StabilityTest() : header_(new RingHeader()), words_(header_.get()), stability_(&words_) {
    header_->hi_stable.store(0, std::memory_order_relaxed);
    header_->durable.store(0, std::memory_order_relaxed);
  }

  std::unique_ptr<RingHeader> header_;
  OwnerWords words_;
  Stability stability_;
};

TEST_F(StabilityTest, ContiguousWritesMoveTheWatermark) {
  stability_.Complete(0, 4096);
  EXPECT_EQ(stability_.hi_stable(), 4096U);
  stability_.Complete(4096, 12288);
  EXPECT_EQ(stability_.hi_stable(), 12288U);
  EXPECT_EQ(header_->hi_stable.load(std::memory_order_relaxed), 12288U)
      << "other processes read it from the header";
}

TEST_F(StabilityTest, Trap09_CompletedIsNotContiguousIsNotDurable) {
  stability_.Complete(4096, 8192);
  EXPECT_EQ(stability_.hi_stable(), 0U) << "completed, but there is a hole before it";
  EXPECT_EQ(stability_.completed_islands().size(), 1U);
  stability_.Complete(0, 4096);
  EXPECT_EQ(stability_.hi_stable(), 8192U);
  EXPECT_EQ(stability_.durable(), 0U) << "contiguous, but no sync has finished";
  stability_.MakeDurable(4096);
  EXPECT_EQ(stability_.durable(), 4096U) << "as far as the sync was asked, not as far as written";
}

TEST_F(StabilityTest, OverlapsAndRepetitionsAreFine) {
  stability_.Complete(0, 5000);
  stability_.Complete(4096, 8192);
  EXPECT_EQ(stability_.hi_stable(), 8192U);
  stability_.Complete(0, 4096);
  EXPECT_EQ(stability_.hi_stable(), 8192U) << "never back";
  stability_.Complete(12288, 16384);
  stability_.Complete(12288, 20480);
  stability_.Complete(12288, 16384);
  stability_.Complete(16384, 18000);
  stability_.Complete(8192, 12288);
  EXPECT_EQ(stability_.hi_stable(), 20480U) << "the longest of the islands at one place counts";
  EXPECT_TRUE(stability_.completed_islands().empty());
}

TEST_F(StabilityTest, TheDurableAddressNeverGoesBack) {
  stability_.Complete(0, 8192);
  stability_.MakeDurable(8192);
  stability_.MakeDurable(4096);
  EXPECT_EQ(stability_.durable(), 8192U);
  EXPECT_EQ(header_->durable.load(std::memory_order_relaxed), 8192U);
}

// Trap 10: in whatever order the completions come, none is left behind as an island.
TEST_F(StabilityTest, Trap10_EveryOrderOfCompletionsReachesTheEnd) {
  std::vector<Address> order = {0, 1, 2, 3, 4, 5, 6};
  do {
    OwnerWords words(header_.get());
    words.hi_stable.store(0, std::memory_order_relaxed);
    Stability stability(&words);
    Address lowest_missing = 0;
    std::vector<bool> done(order.size(), false);
    for (const Address page : order) {
      stability.Complete(page * 4096, (page + 1) * 4096);
      done[page] = true;
      while (lowest_missing < done.size() && done[lowest_missing]) {
        ++lowest_missing;
      }
      ASSERT_EQ(stability.hi_stable(), lowest_missing * 4096);
    }
    ASSERT_TRUE(stability.completed_islands().empty());
  } while (std::next_permutation(order.begin(), order.end()));
}

}  // namespace
}  // namespace lss
