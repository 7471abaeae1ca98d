// SIGKILL at random moments, over and over: what Append has returned for is there, whole, and
// nothing else; with every kind of ring, cold and hot, synced or not, over several lives of one
// log.
//
// Every failure prints its seed; BLOOM_LFS_TEST_SEED repeats a run.

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/crash/store_writer.h"
#include "tests/support/child_process.h"
#include "tests/support/dead_log.h"
#include "tests/support/files.h"
#include "tests/support/temp_dir.h"

namespace lss::test {
namespace {

using bloom_lfs::test::ChildProcess;
using bloom_lfs::test::MixSeed;
using bloom_lfs::test::Random;
using bloom_lfs::test::ReadFile;
using bloom_lfs::test::RegisterChild;
using bloom_lfs::test::TempDir;

constexpr uint64_t kBytesPerLife = 1 << 20;

// What this life is like: how large appends are, how often it syncs.
struct Temper {
  uint64_t largest = 0;
  uint64_t sync_one_in = 0;  // 0: never
  bool closes = false;
};

Temper AnyTemper(Random* random, const StoreOptions& options) {
  Temper temper;
  const uint64_t ring_bytes = uint64_t{options.buffer_bytes} * options.buffer_count;
  const uint64_t largest[] = {200, 5000, options.buffer_bytes * 2ULL, ring_bytes * 3};
  temper.largest = largest[random->Below(4)];
  const uint64_t sync_one_in[] = {0, 1, 3, 20};
  temper.sync_one_in = sync_one_in[random->Below(4)];
  temper.closes = random->OneIn(3);
  return temper;
}

// args: log, progress file, seed of the log, number of the life
int KilledWriterMain(const std::vector<std::string>& args) {
  const uint64_t seed = std::stoull(args.at(2));
  Random random(MixSeed(seed, std::stoull(args.at(3))));
  const StoreOptions options = AnyStoreOptions(random.Next());
  const Temper temper = AnyTemper(&random, options);
  const StoreProgressFile progress(args.at(1));
  StoreWriter writer(args.at(0), options, seed, progress.operator->());
  const uint64_t end = progress->appended.load() + kBytesPerLife;
  const int appends = temper.closes ? 20 : 3000;
  for (int i = 0; progress->appended.load() < end && i < appends; ++i) {
    writer.Append(random.Skewed(1, temper.largest));
    if (temper.sync_one_in != 0 && random.OneIn(temper.sync_one_in)) {
      writer.Sync();
    }
    if (random.OneIn(300)) {
      writer.Settle();
    }
    if (random.OneIn(100)) {
      writer.Check(random.Below(progress->appended.load()), 10000);
    }
  }
  if (temper.closes) {
    writer.Close();
  }
  progress->closed.store(1);  // whatever the target was, there is nothing to wait for any more
  for (;;) {
    pause();
  }
}
const RegisterChild killed_writer("killed_writer", KilledWriterMain);

class CrashStateTest : public testing::Test {
 protected:
  CrashStateTest() {
    const char* text = ::getenv("BLOOM_LFS_TEST_SEED");
    seed_ = text != nullptr ? std::stoull(text) : std::random_device()();
    std::printf("BLOOM_LFS_TEST_SEED=%llu\n", static_cast<unsigned long long>(seed_));
  }

  // Kills the child when it has appended some bytes more, and some microseconds later.
  static void KillSomewhere(ChildProcess* child, Random* random, StoreProgress* progress) {
    const uint64_t target = progress->appended.load() + random->Skewed(1, kBytesPerLife / 4) - 1;
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (progress->appended.load() < target && progress->closed.load() == 0 && child->Running() &&
           std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(std::chrono::microseconds(50));
    }
    std::this_thread::sleep_for(std::chrono::microseconds(random->Below(3000)));
    EXPECT_TRUE(child->Running()) << "it ended by itself: " << child->Wait();
    child->Kill();
  }

  uint64_t seed_ = 0;
};

TEST_F(CrashStateTest, WhateverAppendReturnedForIsThereAfterTheKill) {
  Random random(seed_);
  std::map<std::string, int> seen;
  int kills = 0;
  uint64_t continued = 0;
  while (kills < 100 && !HasFailure()) {
    const uint64_t seed = random.Next();
    const TempDir dir;
    const std::string path = dir / "000007.log";
    const StoreProgressFile progress(dir / "progress");
    for (uint64_t life = 0, lives = 1 + random.Below(4); life < lives && !HasFailure(); ++life) {
      SCOPED_TRACE("log of seed " + std::to_string(seed) + ", life " + std::to_string(life));
      progress->closed.store(0);
      ChildProcess child("killed_writer",
                         {path, dir / "progress", std::to_string(seed), std::to_string(life)});
      KillSomewhere(&child, &random, progress.operator->());
      ++kills;
      continued += life > 0 ? 1 : 0;
      const StoreVerdict verdict = CheckKilledStore(path, seed, *progress.operator->());
      ++seen[verdict.ring_found ? NameOf(verdict.ring_case) : "no ring"];
      progress->appended.store(verdict.length);  // the half-copied append counts or it does not
      progress->attempted.store(verdict.length);
    }
  }
  for (const auto& [name, count] : seen) {
    std::printf("%s: %d\n", name.c_str(), count);
  }
  EXPECT_GT(seen["R3 process killed"], kills / 3) << "the kills were too tame";
  EXPECT_GT(continued, 5U);
}

// Without the ring (a program without the plugin, a lost directory) the file has what was synced;
// behind it, bytes of the stream or zeros.
TEST_F(CrashStateTest, TheFileAloneHasEverythingThatWasSynced) {
  Random random(MixSeed(seed_, 2));
  for (int kills = 0; kills < 30 && !HasFailure(); ++kills) {
    const uint64_t seed = random.Next();
    SCOPED_TRACE("log of seed " + std::to_string(seed));
    const TempDir dir;
    const StoreProgressFile progress(dir / "progress");
    ChildProcess child("killed_writer",
                       {dir / "000007.log", dir / "progress", std::to_string(seed), "0"});
    KillSomewhere(&child, &random, progress.operator->());
    const uint64_t synced = progress->synced.load();
    const std::string file = Exists(dir / "000007.log") ? ReadFile(dir / "000007.log") : "";
    ASSERT_GE(file.size(), synced);
    const std::string stream = StreamOfSeed(seed, 0, file.size());
    EXPECT_TRUE(file.substr(0, synced) == stream.substr(0, synced));
    size_t foreign = 0;
    for (size_t i = synced; i < file.size(); ++i) {
      foreign += file[i] == stream[i] || file[i] == 0 ? 0 : 1;
    }
    EXPECT_EQ(foreign, 0U) << "bytes that nobody appended";
  }
}

}  // namespace
}  // namespace lss::test
