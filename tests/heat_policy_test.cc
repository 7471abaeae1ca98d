// The policy as a table: what happened, and what the stream does about it.
#include "lss/stream/heat_policy.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace lss {
namespace {

constexpr uint64_t kKiB = 1024;
constexpr uint64_t kMiB = 1024 * kKiB;
constexpr int64_t kSecond = 1'000'000'000;

TEST(TurnsHot, Table) {
  const struct {
    const char* what;
    HeatEvent event;
    HeatFacts facts;
    bool hot;
  } rows[] = {
      {"a full buffer heats", HeatEvent::kBufferFull, {0, false, false}, true},
      {"one sync may be the last", HeatEvent::kSynced, {1, false, false}, false},
      {"so may the second", HeatEvent::kSynced, {2, false, false}, false},
      {"the third heats", HeatEvent::kSynced, {3, false, false}, true},
      {"and every later one would", HeatEvent::kSynced, {1000, false, false}, true},
      {"but not of a stream without a byte", HeatEvent::kSynced, {3, true, false}, false},
      {"nor of one that has been followed", HeatEvent::kSynced, {3, false, true}, false},
      {"of a burst a full buffer goes through the cache",
       HeatEvent::kBufferFull,
       {0, false, false, true, false},
       false},
      {"its syncs do not heat", HeatEvent::kSynced, {9, false, false, true, false}, false},
      {"until they are small", HeatEvent::kSynced, {9, false, false, true, true}, true},
      {"no full buffer heats where nothing is overwritten in place",
       HeatEvent::kBufferFull,
       {0, false, false, false, false, true},
       false},
      {"nor does a sync", HeatEvent::kSynced, {9, false, false, false, true, true}, false},
      {"which still cannot keep more than its ring",
       HeatEvent::kBufferFull,
       {0, false, true},
       true},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(TurnsHot(row.event, row.facts), row.hot) << row.what;
  }
}

TEST(HotFromTheStart, IfThePredecessorWas) {
  EXPECT_FALSE(HotFromTheStart({}, false)) << "the first of its kind begins cold";
  EXPECT_FALSE(HotFromTheStart({10 * kMiB, false, 0}, false));
  EXPECT_TRUE(HotFromTheStart({10 * kMiB, true, 0}, false));
  EXPECT_FALSE(HotFromTheStart({10 * kMiB, true, 0}, true)) << "copy on write";
}

TEST(WorthAFrontier, Table) {
  const struct {
    const char* what;
    SyncFacts sync;
    bool worth;
  } rows[] = {
      {"small syncs of a hot stream", {true, false, 4 * kKiB, 16 * kMiB}, true},
      {"a sync of nothing new", {true, false, 0, 16 * kMiB}, true},
      {"a cold stream has no zeros behind its tail", {false, false, 4 * kKiB, 16 * kMiB}, false},
      {"a retired one gets no more", {true, true, 4 * kKiB, 16 * kMiB}, false},
      {"up to 128 KiB", {true, false, 128 * kKiB, 16 * kMiB}, true},
      {"not beyond", {true, false, 128 * kKiB + 1, 16 * kMiB}, false},
      {"four syncs must fit", {true, false, 64 * kKiB, 256 * kKiB}, true},
      {"or it is not worth its own sync", {true, false, 64 * kKiB + 1, 256 * kKiB}, false},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(WorthAFrontier(row.sync), row.worth) << row.what;
  }
}

void Expect(const FrontierPlan::Range& range, Address from, Address to) {
  EXPECT_EQ(range.from, from);
  EXPECT_EQ(range.to, to);
}

TEST(FrontierFromTheStart, IfThePredecessorHadOne) {
  EXPECT_FALSE(FrontierFromTheStart({}));
  EXPECT_FALSE(FrontierFromTheStart({kMiB, true, 0}));
  EXPECT_TRUE(FrontierFromTheStart({kMiB, true, 256 * kKiB}));
}

TEST(FrontierPlan, IsNeverDueWithoutRoom) {
  EXPECT_FALSE(FrontierPlan(0, {}).Due(0, 0));
  EXPECT_TRUE(FrontierPlan(4 * kMiB, {}).Due(0, 0));
}

TEST(FrontierPlan, IsDueAgainWhenLessThanAChunkIsLeft) {
  FrontierPlan plan(16 * kMiB, {});
  Expect(plan.NextChunk(0, 0), 0, 256 * kKiB);
  plan.OnZeroed(256 * kKiB);
  EXPECT_TRUE(plan.Due(4096, 0));
  Expect(plan.NextChunk(4096, 10 * kSecond), 256 * kKiB, 512 * kKiB);
  plan.OnZeroed(512 * kKiB);
  EXPECT_FALSE(plan.Due(256 * kKiB, 0));
  EXPECT_TRUE(plan.Due(256 * kKiB + 1, 0));
}

TEST(FrontierPlan, ChunksDoubleWhileTheyLastLessThanASecondUpToHalfOfTheBound) {
  FrontierPlan plan(4 * kMiB, {});
  const struct {
    int64_t now_ns;
    uint64_t chunk;
  } rows[] = {
      {100 * kSecond, 256 * kKiB},      {101 * kSecond, 256 * kKiB},  // lasted a second
      {102 * kSecond - 1, 512 * kKiB},  {102 * kSecond, 1024 * kKiB},
      {102 * kSecond + 1, 2048 * kKiB}, {102 * kSecond + 2, 2048 * kKiB},  // half of 4 MiB
  };
  Address end = 0;
  for (const auto& row : rows) {
    Expect(plan.NextChunk(end, row.now_ns), end, end + row.chunk);
    end += row.chunk;
    plan.OnZeroed(end);
  }
  EXPECT_EQ(plan.largest_chunk_bytes(), 2048 * kKiB);
}

TEST(FrontierPlan, OutrunItSkipsAhead) {
  FrontierPlan plan(16 * kMiB, {});
  Expect(plan.NextChunk(8192, 0), 8192, 8192 + 256 * kKiB);  // the first: at the tail
  plan.OnZeroed(8192 + 256 * kKiB);
  // The tail has passed the frontier; half a chunk is left for what comes while this is zeroed.
  Expect(plan.NextChunk(kMiB, 10 * kSecond), kMiB + 128 * kKiB, kMiB + 384 * kKiB);
}

TEST(FrontierPlan, RestsWhileARetiredStreamEndsBelow) {
  const FrontierPlan plan(16 * kMiB, {});
  EXPECT_FALSE(plan.Due(5000, 5001));
  EXPECT_TRUE(plan.Due(5001, 5001));
}

TEST(FrontierPlan, ASuccessorTakesItsPredecessorsStepsAndEndsWhereItEnded) {
  FrontierPlan plan(16 * kMiB, {3 * kMiB, true, 2 * kMiB});
  Expect(plan.NextChunk(0, 0), 0, kMiB);  // the first syncs wait for this one
  plan.OnZeroed(kMiB);
  Expect(plan.NextChunk(4096, 0), kMiB, 3 * kMiB);
  plan.OnZeroed(3 * kMiB);
  Expect(plan.NextChunk(2 * kMiB, 0), 3 * kMiB, 3 * kMiB + 256 * kKiB);  // the predecessor's end
  plan.OnZeroed(3 * kMiB + 256 * kKiB);
  EXPECT_FALSE(plan.Due(3 * kMiB, 0)) << "nothing to prepare for";
  EXPECT_TRUE(plan.Due(3 * kMiB + 1, 0)) << "it gets past it after all";
  Expect(plan.NextChunk(3 * kMiB + 4096, 0), 3 * kMiB + 256 * kKiB, 3 * kMiB + 512 * kKiB);
}

TEST(FrontierPlan, ACutTakesTheFrontierAlong) {
  FrontierPlan plan(16 * kMiB, {});
  plan.OnZeroed(kMiB);
  plan.OnCut(2 * kMiB);
  EXPECT_EQ(plan.frontier(), kMiB);
  plan.OnCut(10000);
  EXPECT_EQ(plan.frontier(), 8192U) << "the page of the end holds bytes";
}

}  // namespace
}  // namespace lss
