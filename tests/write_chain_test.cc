#include "lss/device/write_chain.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <vector>

#include "tests/support/aligned_memory.h"

namespace lss {
namespace {

using Verdict = WriteChain::Verdict;

class WriteChainTest : public testing::Test {
 protected:
  WriteChainTest() : memory_(16 * 4096) {}

  // Ops of so many pages each, one behind the other.
  WriteChain Chain(const std::vector<uint64_t>& pages) {
    std::vector<WriteOp> ops;
    uint64_t at = 0;
    for (const uint64_t count : pages) {
      ops.push_back({memory_.data() + at * 4096, count * 4096, 1000 * 4096 + at * 4096});
      at += count;
    }
    return WriteChain(ops);
  }
  // Takes the requests and answers them with these results, in order.
  static std::vector<WriteChain::Request> Answer(WriteChain* chain,
                                                 const std::vector<int64_t>& results) {
    const std::vector<WriteChain::Request> requests = chain->TakeRequests();
    EXPECT_EQ(requests.size(), results.size());
    for (size_t i = 0; i < requests.size() && i < results.size(); ++i) {
      EXPECT_EQ(chain->verdict(), Verdict::kPending) << "judged before every result was in";
      chain->OnResult(requests[i].index, results[i]);
    }
    return requests;
  }

  test::AlignedMemory memory_;
};

TEST_F(WriteChainTest, WholeWritesAreDone) {
  WriteChain chain = Chain({1, 2});
  EXPECT_EQ(chain.verdict(), Verdict::kResubmit);
  const auto requests = Answer(&chain, {4096, 8192});
  EXPECT_EQ(chain.verdict(), Verdict::kDone);
  EXPECT_EQ(chain.first_unfinished(), 2U);
  EXPECT_EQ(requests[1].data, memory_.data() + 4096);
  EXPECT_EQ(requests[1].offset, 1001 * 4096U);
}

// Trap 12: the kernel cancels what is linked behind a short write. All of it is issued again, from
// the first missing byte on, in order.
TEST_F(WriteChainTest, Trap12_AfterAShortWriteTheRestIsIssuedAgainInOrder) {
  WriteChain chain = Chain({2, 1, 1});
  Answer(&chain, {4096, -ECANCELED, -ECANCELED});
  ASSERT_EQ(chain.verdict(), Verdict::kResubmit);
  EXPECT_EQ(chain.first_unfinished(), 0U);
  const auto again = Answer(&chain, {4096, 4096, 4096});
  ASSERT_EQ(again.size(), 3U);
  EXPECT_EQ(again[0].index, 0U);
  EXPECT_EQ(again[0].data, memory_.data() + 4096);
  EXPECT_EQ(again[0].length, 4096U);
  EXPECT_EQ(again[0].offset, 1001 * 4096U);
  EXPECT_EQ(again[1].index, 1U);
  EXPECT_EQ(again[2].index, 2U);
  EXPECT_EQ(chain.verdict(), Verdict::kDone);
}

TEST_F(WriteChainTest, Trap12_WhatIsFinishedIsNotIssuedAgain) {
  WriteChain chain = Chain({1, 2, 1});
  Answer(&chain, {4096, -EAGAIN, -ECANCELED});
  ASSERT_EQ(chain.verdict(), Verdict::kResubmit);
  EXPECT_EQ(chain.first_unfinished(), 1U);
  const auto again = chain.TakeRequests();
  ASSERT_EQ(again.size(), 2U);
  EXPECT_EQ(again[0].index, 1U);
  EXPECT_EQ(again[0].length, 8192U);
}

TEST_F(WriteChainTest, Trap12_AShortWriteCountsWholePagesOnly) {
  WriteChain chain = Chain({3});
  Answer(&chain, {5000});
  ASSERT_EQ(chain.verdict(), Verdict::kResubmit);
  const auto again = Answer(&chain, {8192});
  EXPECT_EQ(again[0].offset, 1001 * 4096U) << "a direct write goes on at a page";
  EXPECT_EQ(again[0].length, 8192U);
  EXPECT_EQ(chain.verdict(), Verdict::kDone);
}

// What the kernel wrote behind a gap is not counted: it must not stand in the file before the gap
// is closed, so it is written again behind it.
TEST_F(WriteChainTest, Trap12_BytesBehindAGapAreWrittenAgain) {
  WriteChain chain = Chain({2, 1});
  Answer(&chain, {4096, 4096});
  ASSERT_EQ(chain.verdict(), Verdict::kResubmit);
  EXPECT_EQ(chain.first_unfinished(), 0U);
  const auto again = Answer(&chain, {4096, 4096});
  ASSERT_EQ(again.size(), 2U);
  EXPECT_EQ(again[1].index, 1U);
  EXPECT_EQ(again[1].length, 4096U);
  EXPECT_EQ(again[1].offset, 1002 * 4096U);
  EXPECT_EQ(chain.verdict(), Verdict::kDone);
}

TEST_F(WriteChainTest, NothingIsJudgedBeforeEveryResultIsIn) {
  WriteChain chain = Chain({1, 1});
  ASSERT_EQ(chain.TakeRequests().size(), 2U);
  chain.OnResult(1, -ECANCELED);
  EXPECT_EQ(chain.verdict(), Verdict::kPending);
  chain.OnResult(0, -EIO);
  EXPECT_EQ(chain.verdict(), Verdict::kFailed);
}

TEST_F(WriteChainTest, Trap11_AHardErrorEndsTheChainWithItsErrno) {
  for (const int error : {EIO, ENOSPC, EINVAL, EFAULT}) {
    WriteChain chain = Chain({1, 1, 1});
    Answer(&chain, {4096, -error, -ECANCELED});
    EXPECT_EQ(chain.verdict(), Verdict::kFailed);
    EXPECT_EQ(chain.error_number(), error) << "and not that of the cancelled rest";
    EXPECT_EQ(chain.first_unfinished(), 1U) << "what came before it is written";
  }
}

TEST_F(WriteChainTest, Trap12_TransientErrorsAreRetriedButNotForEver) {
  for (const int64_t result : {-EAGAIN, -EINTR, -ECANCELED, 0}) {
    WriteChain chain = Chain({1});
    int submissions = 0;
    while (chain.verdict() == Verdict::kResubmit && submissions < 1000) {
      Answer(&chain, {result});
      ++submissions;
    }
    EXPECT_EQ(chain.verdict(), Verdict::kFailed) << "result " << result;
    EXPECT_EQ(chain.error_number(), result == 0 ? EIO : -result) << "what stood in its way";
    EXPECT_GT(submissions, 3) << "gave up too early";
  }
}

TEST_F(WriteChainTest, ProgressResetsThePatience) {
  WriteChain chain = Chain({12});
  for (int page = 0; page < 12; ++page) {
    for (int i = 0; i < 10; ++i) {
      Answer(&chain, {-EAGAIN});
      ASSERT_EQ(chain.verdict(), Verdict::kResubmit) << "page " << page;
    }
    Answer(&chain, {4096});
  }
  EXPECT_EQ(chain.verdict(), Verdict::kDone);
}

}  // namespace
}  // namespace lss
