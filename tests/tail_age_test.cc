#include "lss/stream/tail_age.h"

#include <gtest/gtest.h>

#include <vector>

namespace lss {
namespace {

// Plays a stream that accepts `bytes_each_look` between two looks, and whose tail is written when
// it is due. Returns at which looks that was.
std::vector<int> DueLooks(int looks, uint64_t bytes_each_look, int looks_with_appends) {
  TailAge age;
  std::vector<int> due;
  Address accepted = 0;
  Address in_file = 0;
  for (int look = 1; look <= looks; ++look) {
    accepted += look <= looks_with_appends ? bytes_each_look : 0;
    if (age.At(accepted, in_file).due) {
      due.push_back(look);
      in_file = accepted;
    }
  }
  return due;
}

TEST(TailAge, AByteIsDueAtTheThirdLookAfterItCame) {
  EXPECT_EQ(DueLooks(100, 10, 1), std::vector<int>{3}) << "and then there is silence";
}

TEST(TailAge, NoByteOfATrickleGetsOlderThanThreeLooks) {
  EXPECT_EQ(DueLooks(10, 1, 10), (std::vector<int>{3, 6, 9}));
}

TEST(TailAge, AStreamWithoutBytesIsNeverDue) { EXPECT_TRUE(DueLooks(100, 0, 0).empty()); }

TEST(TailAge, WhatSomebodyElseHasWrittenIsNotDue) {
  TailAge age;
  for (Address end = 1000; end < 100000; end += 1000) {
    EXPECT_FALSE(age.At(end, end - 1000).due)
        << "each look finds the bytes of the one before there";
  }
}

TEST(TailAge, WhatCouldNotBeWrittenStaysDue) {
  TailAge age;
  (void)age.At(10, 0);
  (void)age.At(10, 0);
  EXPECT_TRUE(age.At(10, 0).due);
  EXPECT_TRUE(age.At(10, 0).due);
  EXPECT_FALSE(age.At(10, 10).due);
}

TEST(TailAge, TellsWhatCameSinceTheLookBefore) {
  TailAge age;
  EXPECT_EQ(age.At(10, 10).accepted_bytes, 10U);
  EXPECT_EQ(age.At(10, 10).accepted_bytes, 0U);
  EXPECT_EQ(age.At(15, 10).accepted_bytes, 5U);
}

TEST(TailAge, LooksAreAQuarterOfTheBoundApart) {
  EXPECT_EQ(TailAge::LookEveryMs(500), 125U);
  EXPECT_EQ(TailAge::LookEveryMs(4), 1U);
  EXPECT_EQ(TailAge::LookEveryMs(1), 1U);
}

}  // namespace
}  // namespace lss
