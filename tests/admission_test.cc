// Which pages go to the flash.
#include "lss/pages/admission.h"

#include <gtest/gtest.h>

#include "lss/pages/ghost.h"
#include "lss/pages/page_key.h"

namespace lss {
namespace {

TEST(AdmissionTest, UntilTheLogIsFullEverythingGoes) {
  EXPECT_TRUE(GoesToFlash(PagePolicy::kS3Fifo, Admit::kAuto, {0, false}, false));
  EXPECT_TRUE(GoesToFlash(PagePolicy::kS3Fifo, Admit::kAll, {0, false}, true));
  EXPECT_FALSE(GoesToFlash(PagePolicy::kS3Fifo, Admit::kReused, {0, false}, false));
}

TEST(AdmissionTest, ThenWhatWasReadOrHasComeBack) {
  EXPECT_FALSE(GoesToFlash(PagePolicy::kS3Fifo, Admit::kAuto, {0, false}, true));
  EXPECT_TRUE(GoesToFlash(PagePolicy::kS3Fifo, Admit::kAuto, {1, false}, true));
  EXPECT_TRUE(GoesToFlash(PagePolicy::kS3Fifo, Admit::kAuto, {0, true}, true));
  EXPECT_TRUE(GoesToFlash(PagePolicy::kLru, Admit::kAuto, {0, false}, true));
}

TEST(AdmissionTest, CleaningKeepsHotPagesAndAlwaysMakesRoom) {
  EXPECT_FALSE(SurvivesCleaning(1, 0, 1000));
  EXPECT_TRUE(SurvivesCleaning(2, 0, 1000));
  EXPECT_TRUE(SurvivesCleaning(3, 200, 1000));
  EXPECT_FALSE(SurvivesCleaning(3, 201, 1000));
}

TEST(WriteRateTest, LetsASecondsWorthThroughAndThenTheRate) {
  WriteRate rate(1000);
  int64_t now = 1;
  EXPECT_TRUE(rate.Take(1000, now));
  EXPECT_FALSE(rate.Take(1, now));
  now += 100'000'000;
  EXPECT_TRUE(rate.Take(100, now));
  EXPECT_FALSE(rate.Take(1, now));
  now += 3600LL * 1'000'000'000;
  EXPECT_TRUE(rate.Take(1000, now));
  EXPECT_FALSE(rate.Take(1, now)) << "no more than a second is saved up";
  WriteRate none(0);
  EXPECT_TRUE(none.Take(UINT64_MAX, now));
}

TEST(WriteRateTest, SmallStepsOfTimeAddUp) {
  WriteRate rate(1000);
  int64_t now = 1;
  ASSERT_TRUE(rate.Take(1000, now));
  for (int i = 0; i < 1000; ++i) {
    now += 100'000;
    rate.Take(1000, now);  // too much yet, but time goes on
  }
  EXPECT_TRUE(rate.Take(90, now));
}

TEST(GhostTest, RemembersOnceAndForgetsUnderOthers) {
  Ghost ghost(1000);
  const uint64_t hash = HashOf({1, 2});
  EXPECT_FALSE(ghost.Take(hash));
  ghost.Note(hash);
  EXPECT_TRUE(ghost.Take(hash));
  EXPECT_FALSE(ghost.Take(hash));
  ghost.Note(hash);
  for (uint64_t i = 0; i < 20000; ++i) {
    ghost.Note(HashOf({i, 9}));
  }
  EXPECT_FALSE(ghost.Take(hash));
}

TEST(GhostTest, RemembersMostOfAsManyAsItIsMadeFor) {
  Ghost ghost(4000);
  for (uint64_t i = 0; i < 1000; ++i) {
    ghost.Note(HashOf({i, 1}));
  }
  int remembered = 0;
  int false_ones = 0;
  for (uint64_t i = 0; i < 1000; ++i) {
    remembered += ghost.Take(HashOf({i, 1})) ? 1 : 0;
    false_ones += ghost.Take(HashOf({i, 2})) ? 1 : 0;
  }
  EXPECT_GT(remembered, 800);
  EXPECT_LT(false_ones, 5);
}

}  // namespace
}  // namespace lss
