// SIGKILL at a random moment, over and over: what was promised is there.
//
// Every failure prints the seed of its database. BLOOM_LFS_TEST_SEED repeats a run,
// BLOOM_LFS_KILL_ROUNDS makes it longer or shorter.

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstdio>
#include <memory>
#include <random>

#include "tests/crash/crash_db.h"

namespace bloom_lfs::test {
namespace {

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* text = ::getenv(name);
  return text != nullptr ? std::stoull(text) : otherwise;
}

class KillTest : public testing::Test {
 protected:
  KillTest() : seed_(FromEnvironment("BLOOM_LFS_TEST_SEED", std::random_device()())) {
    std::printf("BLOOM_LFS_TEST_SEED=%llu\n", static_cast<unsigned long long>(seed_));
  }
  void TearDown() override { std::printf("%s\n", statistics_.ToString().c_str()); }

  static uint64_t Rounds(uint64_t otherwise) {
    return FromEnvironment("BLOOM_LFS_KILL_ROUNDS", otherwise);
  }

  const uint64_t seed_;
  CrashStatistics statistics_;
};

// Unsynced writes survive the process, however often it is killed: each database lives through
// several kills, some of them in the middle of recovery, and now and then the dead is a stock one.
TEST_F(KillTest, UnsyncedWritesSurvive) {
  Random random(seed_);
  const uint64_t rounds = Rounds(60);
  while (statistics_.kills < rounds && !HasFailure()) {
    CrashDb db(random.Next(), false);
    for (uint64_t lives = 1 + random.Below(6); lives > 0 && !HasFailure(); --lives) {
      const bool recycled = db.config().recycle;  // which stock does not survive
      const With writer = random.OneIn(6) && !recycled ? With::kStock : With::kPlugin;
      db.WriteAndKill(writer, &random, &statistics_);
      for (uint64_t n = random.Below(3); n > 0 && !HasFailure(); --n) {
        db.KillWhileRecovering(&random);
      }
      db.Check(With::kPlugin, Promise::kAcknowledged);
      db.CheckNothingSetAside();
    }
    // All lives have ended in a clean close: now it is an ordinary database for everyone.
    db.Check(With::kPlugin, Promise::kAcknowledged);
    db.Check(With::kStock, Promise::kAcknowledged);
  }
  if (rounds < 60) return;
  EXPECT_GE(statistics_.kills_over_many_wals, rounds / 6) << "the rounds were too tame";
  EXPECT_GE(statistics_.acknowledged, rounds * 20);
}

// Stock RocksDB finds everything that was synced, and a prefix of the rest. Once it has written,
// what it knew is the truth: the plugin must not bring back what stock did not know.
TEST_F(KillTest, SyncedWritesAreThereWithoutThePlugin) {
  Random random(MixSeed(seed_, 2));
  const uint64_t rounds = Rounds(30);
  while (statistics_.kills < rounds && !HasFailure()) {
    CrashDb db(random.Next(), true);
    for (uint64_t lives = 1 + random.Below(4); lives > 0 && !HasFailure(); --lives) {
      db.WriteAndKill(With::kPlugin, &random, &statistics_);
      db.Look(With::kStock, Promise::kSynced);
      if (random.OneIn(2)) db.WriteAndClose(With::kStock, 1 + random.Below(50));
      db.Check(With::kPlugin, Promise::kAcknowledged);
    }
  }
}

// Synced writes are where their syncs went: in the file, or in a second place, from where the next
// open brings them to the file. After that it is an ordinary database for everyone.
TEST_F(KillTest, SyncedWritesSurvive) {
  Random random(MixSeed(seed_, 4));
  const uint64_t rounds = Rounds(10);
  while (statistics_.kills < rounds && !HasFailure()) {
    CrashDb db(random.Next(), true);
    for (uint64_t lives = 1 + random.Below(4); lives > 0 && !HasFailure(); --lives) {
      db.WriteAndKill(With::kPlugin, &random, &statistics_);
      if (random.OneIn(2)) db.KillWhileRecovering(&random);
      db.Check(With::kPlugin, Promise::kAcknowledged);
      db.CheckNothingSetAside();
      db.Check(With::kStock, Promise::kAcknowledged);
    }
  }
}

// A reader beside the dead: sees everything, changes nothing, and does not keep the next writer
// from recovering.
TEST_F(KillTest, ReadOnlySeesUnsyncedWritesAndModifiesNothing) {
  Random random(MixSeed(seed_, 3));
  const uint64_t rounds = Rounds(30);
  while (statistics_.kills < rounds && !HasFailure()) {
    CrashDb db(random.Next(), false);
    for (uint64_t lives = 2 + random.Below(4); lives > 0 && !HasFailure(); --lives) {
      db.WriteAndKill(With::kPlugin, &random, &statistics_);
      db.CheckReadOnly(With::kPlugin, &statistics_);
      if (random.OneIn(2)) db.Check(With::kPlugin, Promise::kAcknowledged);
    }
    db.Check(With::kPlugin, Promise::kAcknowledged);
    db.CheckNothingSetAside();
    db.Check(With::kStock, Promise::kAcknowledged);
  }
  EXPECT_GE(statistics_.read_only_checks, rounds / 2) << "too few databases could be read";
}

}  // namespace
}  // namespace bloom_lfs::test
