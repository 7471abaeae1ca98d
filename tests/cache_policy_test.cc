// The policy as tables: what the appender has met, and which way the stream goes.
#include "lss/stream/cache_policy.h"

#include <gtest/gtest.h>

#include <vector>

namespace lss {
namespace {

constexpr int64_t kMs = 1'000'000;
constexpr int64_t kSecond = 1000 * kMs;
constexpr uint64_t kMiB = 1 << 20;
constexpr uint64_t kRing = 6 * kMiB;

// --- off to the cache ---

struct Wait {
  int64_t began_ms;
  int64_t ended_ms;  // -1: not yet
};

bool Outruns(const std::vector<Wait>& waits, int64_t now_ms, uint64_t unsynced_bytes = 10 * kRing) {
  CachePolicy policy({}, 0);
  for (const Wait& wait : waits) {
    policy.OnWaitBegins(wait.began_ms * kMs, 0);
    if (wait.ended_ms >= 0) {
      policy.OnWaitEnds(wait.ended_ms * kMs);
    }
  }
  return policy.Outruns({now_ms * kMs, 0, unsynced_bytes, kRing});
}

TEST(Outruns, Table) {
  const struct {
    const char* what;
    std::vector<Wait> waits;
    int64_t now_ms;
    uint64_t unsynced_bytes;
    bool outruns;
  } rows[] = {
      {"never waited", {}, 1000, 10 * kRing, false},
      {"waits, not long yet", {{100, -1}}, 119, 10 * kRing, false},
      {"waits for long", {{100, -1}}, 120, 10 * kRing, true},
      {"but would wait for its sync anyway", {{100, -1}}, 120, kRing - 1, false},
      {"waited, which is over", {{100, 115}}, 140, 10 * kRing, false},
      {"a third of the time, not for long", {{100, 110}, {115, 125}}, 149, 10 * kRing, false},
      {"a third of the time", {{100, 110}, {120, 127}}, 150, 10 * kRing, true},
      {"less than that", {{100, 110}, {120, 126}}, 150, 10 * kRing, false},
      {"the wait under way counts", {{100, 110}, {140, -1}}, 150, 10 * kRing, true},
      {"waits far apart", {{100, 118}, {700, 705}}, 760, 10 * kRing, false},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(Outruns(row.waits, row.now_ms, row.unsynced_bytes), row.outruns) << row.what;
  }
}

TEST(Outruns, AStreamThatGoesThroughTheCacheStartsItsCountAnew) {
  CachePolicy policy({}, 0);
  policy.OnWaitBegins(100 * kMs, 0);
  policy.OnWaitEnds(150 * kMs);
  ASSERT_TRUE(policy.Outruns({150 * kMs, 0, 10 * kRing, kRing}));
  policy.OnThroughCache(150 * kMs, 0);
  EXPECT_TRUE(policy.through_cache());
  policy.OnPastCache();
  EXPECT_FALSE(policy.through_cache());
  EXPECT_FALSE(policy.Outruns({150 * kMs, 0, 10 * kRing, kRing}));
}

// --- and back ---

// Of a stream that wrote `mib` in one second to a device that takes 20 MiB/s, and then to the cache
// for as long as `ran_ms` says.
CacheRecord RecordAfter(uint64_t mib, int64_t ran_ms) {
  CachePolicy policy({}, 0);
  policy.OnWaitBegins(0, 0);
  policy.OnThroughCache(kSecond, 20 * kMiB);
  return policy.Record(kSecond + ran_ms * kMs, 20 * kMiB + mib * kMiB);
}

TEST(SuccessorOfABurst, Table) {
  const struct {
    const char* what;
    uint64_t mib;
    int64_t ran_ms;
    bool through_cache;
  } rows[] = {
      {"the burst goes on", 200, 1000, true},
      {"it has just ended", 0, 999, true},
      {"it has ended a while ago", 0, 1000, false},
      {"half of what the device takes", 100, 10000, false},
      {"a little more", 101, 10000, true},
  };
  for (const auto& row : rows) {
    const CacheRecord record = RecordAfter(row.mib, row.ran_ms);
    const CachePolicy successor(record, kSecond + row.ran_ms * kMs);
    EXPECT_EQ(successor.through_cache(), row.through_cache) << row.what;
  }
  EXPECT_FALSE(CachePolicy({}, 0).through_cache()) << "no predecessor";
}

TEST(SuccessorOfABurst, HandsOnWhatItHasNotLearntItself) {
  const CachePolicy second(RecordAfter(200, 1000), 2 * kSecond);
  const CachePolicy third(second.Record(4 * kSecond, 200 * kMiB), 4 * kSecond);
  EXPECT_TRUE(third.through_cache()) << "100 MiB/s";
  const CachePolicy calm(third.Record(64 * kSecond, 600 * kMiB), 64 * kSecond);
  EXPECT_FALSE(calm.through_cache()) << "10 MiB/s, measured over its own life";
}

TEST(SuccessorOfABurst, WhoIsBackSoonStaysLonger) {
  CachePolicy policy({}, 0);
  int64_t now = 100 * kSecond;
  int64_t hold = 0;
  for (int i = 0; i < 10; ++i) {
    policy.OnThroughCache(now, 0);
    const int64_t next = policy.Record(now, 0).hold_ns;
    EXPECT_EQ(next, i == 0 ? kSecond : std::min<int64_t>(2 * hold, 64 * kSecond));
    hold = next;
    now += hold + 1;
  }
  policy.OnThroughCache(now + 200 * kSecond, 0);
  EXPECT_EQ(policy.Record(now, 0).hold_ns, kSecond) << "after a long calm";
}

TEST(SyncsInSmallSteps, Table) {
  const struct {
    const char* what;
    int syncs;
    uint64_t bytes;
    int64_t after_ms;
    bool small_steps;
  } rows[] = {
      {"small syncs", 3, 3000, 1000, true},
      {"not enough of them", 2, 2000, 1000, false},
      {"too soon", 3, 3000, 999, false},
      {"half a ring each", 4, 4 * kRing / 2, 1000, true},
      {"bursts with a sync behind each", 4, 4 * (kRing / 2 + 1), 1000, false},
  };
  for (const auto& row : rows) {
    CachePolicy policy({}, 0);
    policy.OnThroughCache(0, kMiB);
    for (int i = 0; i < row.syncs; ++i) {
      policy.OnSynced();
    }
    EXPECT_EQ(policy.SyncsInSmallSteps(row.after_ms * kMs, kMiB + row.bytes, kRing),
              row.small_steps)
        << row.what;
  }
}

// --- how much at once ---

TEST(BatchLimit, GrowsByABufferWithEachFullBatchThatIsQuick) {
  BatchLimit limit(kMiB);
  EXPECT_EQ(limit.bytes(), 2 * kMiB);
  limit.OnBatch(2 * kMiB, 10 * kMs);
  EXPECT_EQ(limit.bytes(), 3 * kMiB);
  limit.OnBatch(kMiB, kMs);
  EXPECT_EQ(limit.bytes(), 3 * kMiB) << "there was no more to write";
}

TEST(BatchLimit, ShrinksToWhatTheDeviceWritesInTenMilliseconds) {
  BatchLimit limit(kMiB);
  for (int i = 0; i < 8; ++i) {
    limit.OnBatch(limit.bytes(), kMs);
  }
  ASSERT_EQ(limit.bytes(), 10 * kMiB);
  limit.OnBatch(10 * kMiB, 20 * kMs);
  EXPECT_EQ(limit.bytes(), 5 * kMiB);
  limit.OnBatch(5 * kMiB, 500 * kMs);
  EXPECT_EQ(limit.bytes(), kMiB) << "but a buffer must go";
  limit.OnBatch(kMiB, 500 * kMs);
  EXPECT_EQ(limit.bytes(), kMiB);
}

}  // namespace
}  // namespace lss
