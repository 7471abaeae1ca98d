#include "lss/base/check.h"

#include <gtest/gtest.h>

#include <string>

#include "lss/device/write_chain.h"
#include "lss/ring/ring_memory.h"
#include "lss/stream/stability.h"
#include "tests/support/store_parts.h"
#include "tests/support/temp_dir.h"

namespace lss {
namespace {

TEST(Check, WhatHoldsCostsNothingAndIsEvaluatedOnce) {
  int evaluations = 0;
  LSS_CHECK(++evaluations == 1, "counted");
  EXPECT_EQ(evaluations, 1);
}

TEST(CheckDeathTest, WhatDoesNotHoldEndsTheProcessAndNamesThePlace) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(LSS_CHECK(1 + 1 == 3, "numbers have changed"),
               "check_test.cc:[0-9]+: numbers have changed \\(1 \\+ 1 == 3 does not hold\\)");
}

// Preconditions whose violation would otherwise loop for ever or invent a durable byte. They hold
// in release builds too.
TEST(CheckDeathTest, BrokenPreconditionsDoNotPassInAnyBuild) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const bloom_lfs::test::TempDir directory;
  const auto parts = test::StoreParts::Make(directory.path(), test::SmallOptions());
  std::vector<iovec> pieces;
  EXPECT_DEATH(parts->ring.Gather(1 << 20, (1 << 20) + 1, &pieces), "have left the ring");
  EXPECT_DEATH((void)parts->pipeline.SyncTo(1,
                                            [] {
                                              return FlushPipeline::SyncStep{Status::Ok(), 1};
                                            }),
               "must not pass the watermark");
  EXPECT_DEATH((void)parts->ring.buffer(0).Reserve(1 << 20, 0), "must fit into a buffer");
  EXPECT_DEATH((void)parts->ring.buffer(0).Leave(), "nobody was in");
  EXPECT_DEATH((void)parts->ring.Rotate(0, &parts->pipeline), "away from a buffer that is open");
  EXPECT_DEATH((void)parts->ring.buffer(0).SealedLength(), "length of a buffer that is open");
  WriteChain chain({WriteOp{nullptr, 4096, 0}});
  EXPECT_DEATH(chain.OnResult(0, 4096), "nobody waits for");
}

}  // namespace
}  // namespace lss
