// How large the next ring gets when many share a budget.
#include "lss/ring/ring_budget.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "lss/dense_stream.h"
#include "lss/options.h"
#include "lss/ring/ring_format.h"
#include "tests/support/files.h"
#include "tests/support/stream_bytes.h"
#include "tests/support/temp_dir.h"

namespace lss {
namespace {

constexpr uint64_t kMiB = 1 << 20;
constexpr uint32_t kBuffer = 512 << 10;
constexpr uint32_t kCount = 12;

uint64_t BytesOf(const RingGrant& grant) {
  return RingFileBytes(grant.buffer_bytes(), grant.buffer_count());
}

void ExpectUsable(const RingGrant& grant, uint32_t buffer_bytes, uint32_t buffer_count) {
  StoreOptions options;
  options.buffer_bytes = grant.buffer_bytes();
  options.buffer_count = grant.buffer_count();
  EXPECT_TRUE(options.Validate().ok()) << options.Validate().ToString();
  EXPECT_LE(grant.buffer_bytes(), buffer_bytes);
  EXPECT_LE(grant.buffer_count(), buffer_count);
}

class RingBudgetTest : public testing::Test {
 protected:
  RingBudget budget_;
};

TEST_F(RingBudgetTest, WithoutALimitEveryRingIsAsAskedFor) {
  std::vector<RingGrant> grants(200);
  for (RingGrant& grant : grants) {
    ASSERT_TRUE(RingGrant::Take(&budget_, 0, kBuffer, kCount, &grant).ok());
    EXPECT_EQ(grant.buffer_bytes(), kBuffer);
    EXPECT_EQ(grant.buffer_count(), kCount);
  }
  EXPECT_EQ(budget_.bytes_in_use(), 200 * RingFileBytes(kBuffer, kCount));
  grants.clear();
  EXPECT_EQ(budget_.bytes_in_use(), 0U);
}

TEST_F(RingBudgetTest, ARingShrinksToWhatItMayTakeAndGivesTheRestBack) {
  RingGrant grant;
  ASSERT_TRUE(RingGrant::Take(&budget_, 0, kBuffer, kCount, &grant).ok());
  const uint64_t small = RingFileBytes(64 << 10, 8);
  grant.ShrinkTo(small);
  EXPECT_EQ(grant.buffer_bytes(), 64U << 10);
  EXPECT_EQ(grant.buffer_count(), 8U);
  EXPECT_EQ(budget_.bytes_in_use(), small);
  grant.ShrinkTo(kMiB);
  EXPECT_EQ(BytesOf(grant), small) << "it does not grow";
  while (grant.Halve()) {
    EXPECT_EQ(budget_.bytes_in_use(), BytesOf(grant));
    ExpectUsable(grant, kBuffer, kCount);
  }
  EXPECT_EQ(BytesOf(grant), RingFileBytes(kPageBytes, kMinBufferCount));
}

TEST_F(RingBudgetTest, TheFirstGetAllAndTheThousandthStillOneWorthHaving) {
  std::vector<RingGrant> grants(1000);
  uint64_t sum = 0;
  for (size_t i = 0; i < grants.size(); ++i) {
    ASSERT_TRUE(RingGrant::Take(&budget_, 512 * kMiB, kBuffer, kCount, &grants[i]).ok()) << i;
    ExpectUsable(grants[i], kBuffer, kCount);
    sum += BytesOf(grants[i]);
    if (i < 16) {
      EXPECT_EQ(BytesOf(grants[i]), RingFileBytes(kBuffer, kCount)) << i;
    }
  }
  EXPECT_LE(sum, 512 * kMiB);
  EXPECT_EQ(budget_.bytes_in_use(), sum);
  EXPECT_GE(BytesOf(grants.back()), 16U << 10);
  EXPECT_GE(grants.back().buffer_count(), 4U);
}

TEST_F(RingBudgetTest, NobodyGetsMoreThanTheBudgetHoweverManyAsk) {
  constexpr uint64_t kBudget = kMiB;
  std::vector<RingGrant> grants;
  Status status;
  while (status.ok()) {
    RingGrant grant;
    status = RingGrant::Take(&budget_, kBudget, kBuffer, kCount, &grant);
    if (status.ok()) {
      ExpectUsable(grant, kBuffer, kCount);
      grants.push_back(std::move(grant));
      ASSERT_LE(budget_.bytes_in_use(), kBudget);
    }
  }
  EXPECT_GT(grants.size(), 32U);
  EXPECT_EQ(status.code(), Status::Code::kNoSpace);
  EXPECT_NE(status.message().find("ring_budget_bytes"), std::string::npos) << status.message();
  grants.pop_back();
  RingGrant again;
  EXPECT_TRUE(RingGrant::Take(&budget_, kBudget, kBuffer, kCount, &again).ok())
      << "what is given back counts";
}

TEST_F(RingBudgetTest, SmallWishesAreNotMadeSmaller) {
  std::vector<RingGrant> grants(500);
  for (RingGrant& grant : grants) {
    ASSERT_TRUE(RingGrant::Take(&budget_, 512 * kMiB, 4096, 4, &grant).ok());
    EXPECT_EQ(grant.buffer_bytes(), 4096U);
    EXPECT_EQ(grant.buffer_count(), 4U);
  }
}

TEST_F(RingBudgetTest, AGrantThatIsReplacedIsGivenBack) {
  RingGrant grant;
  ASSERT_TRUE(RingGrant::Take(&budget_, 0, 8192, 4, &grant).ok());
  ASSERT_TRUE(RingGrant::Take(&budget_, 0, 4096, 2, &grant).ok());
  EXPECT_EQ(budget_.bytes_in_use(), RingFileBytes(4096, 2));
  RingGrant moved(std::move(grant));
  EXPECT_EQ(budget_.bytes_in_use(), RingFileBytes(4096, 2));
}

TEST_F(RingBudgetTest, ThreadsThatTakeAndGiveBackLeaveNothingBehind) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([this] {
      for (int i = 0; i < 2000; ++i) {
        RingGrant grant;
        EXPECT_TRUE(RingGrant::Take(&budget_, 64 * kMiB, kBuffer, kCount, &grant).ok());
        EXPECT_LE(budget_.bytes_in_use(), 64 * kMiB);
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(budget_.bytes_in_use(), 0U);
}

// A store with a smaller ring than it asked for does everything else as ever.
TEST_F(RingBudgetTest, StoresShrinkRatherThanFail) {
  const bloom_lfs::test::TempDir dir;
  Runtime runtime;
  const RingBudget& budget = *runtime.ring_budget();
  StoreOptions options;
  options.buffer_bytes = 256 << 10;
  options.buffer_count = 8;
  options.ring_budget_bytes = 4 * kMiB;
  std::vector<std::shared_ptr<DenseStream>> stores(40);
  for (size_t i = 0; i < stores.size(); ++i) {
    const std::string path = dir / (std::to_string(i) + ".log");
    const Status status =
        DenseStream::Open(&runtime, path, options, DenseStream::OpenMode::kTruncate, &stores[i]);
    ASSERT_TRUE(status.ok()) << i << ": " << status.ToString();
    ASSERT_LE(budget.bytes_in_use(), options.ring_budget_bytes);
  }
  const std::string bytes = test::StreamBytes(0, 300000);
  for (size_t i = 0; i < stores.size(); ++i) {
    ASSERT_TRUE(stores[i]->Append({bytes.data(), bytes.size()}).ok());
    ASSERT_TRUE(stores[i]->Sync().ok());
    ASSERT_TRUE(stores[i]->Close().ok());
    EXPECT_TRUE(bloom_lfs::test::ReadFile(dir / (std::to_string(i) + ".log")) == bytes) << i;
  }
  stores.clear();
  runtime.maintenance()->Drain();
  EXPECT_EQ(budget.bytes_in_use(), 0U);
}

}  // namespace
}  // namespace lss
