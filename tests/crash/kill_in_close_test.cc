// Killed while DB::Close is under way: what was acknowledged before is there, synced or not.
//
// AtEveryStep: the child's system calls go through watched_calls, and the plugin writes without
// io_uring, so that each of its writes is one of them. AtARandomMoment: as users run it. Every
// failure prints the seed of the test; BLOOM_LFS_TEST_SEED repeats it.

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "plugin/rocksdb_features.h"
#include "tests/crash/crash_db.h"
#include "tests/crash/watched_calls.h"

namespace bloom_lfs::test {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kKilled = 128 + SIGKILL;
constexpr int kNoStep = -1;
// A child that gets nowhere within this time is stuck.
constexpr std::chrono::seconds kStuckAfter{60};
constexpr uint64_t kBytesMax = 4 << 20;
// What follows from a step is the same with what is slow: that takes fewer of them.
#ifdef __SANITIZE_ADDRESS__
constexpr int kConfigs = 1;
constexpr int kStride = 5;
constexpr int kKills = 4;
#else
constexpr int kConfigs = 2;
constexpr int kStride = 1;
constexpr int kKills = 12;
#endif

// args: those of a writer, the operations of each thread, the steps of Close to live through, and
// whether to die midway in a write. Without steps it stays when the database is closed, for its
// killer.
int CrashCloserMain(const std::vector<std::string>& args) {
  const WriterArguments arguments = WriterArguments::Parse({args.begin(), args.end() - 3});
  const uint64_t operations = std::stoull(args.end()[-3]);
  const int steps = std::stoi(args.end()[-2]);
  const CrashConfig config = arguments.Config();
  const ProgressFile progress(arguments.progress_path);
  std::optional<OpenDb> db(std::in_place, arguments.db_path, config, arguments.with,
                           OpenDb::Mode::kReadWrite);
  rocksdb::Status s = db->status();
  if (s.ok()) {
    progress->opened.store(1);
    s = WriteOperations(&*db, config, arguments.RunShape(), progress.operator->(), operations,
                        kBytesMax);
  }
  if (!s.ok()) {
    std::fprintf(stderr, "closer: %s\n", s.ToString().c_str());
    return 1;
  }
  if (steps != kNoStep) lss::test::DieAfter(steps, args.back() == "1");
  progress->done.store(1);
  db.reset();
  progress->closed.store(1);
  while (steps == kNoStep) ::pause();
  return 0;  // the last steps of a close are taken on the way out
}

const RegisterChild kCrashCloser("crash_closer", CrashCloserMain);

void SleepMicroseconds(uint64_t us) { std::this_thread::sleep_for(std::chrono::microseconds(us)); }

// False if the child has ended or is stuck.
bool WaitUntilClosing(ChildProcess* child, const Progress& progress) {
  const Clock::time_point deadline = Clock::now() + kStuckAfter;
  while (progress.done.load() == 0) {
    if (!child->Running() || Clock::now() > deadline) return false;
    SleepMicroseconds(20);
  }
  return true;
}

struct Case {
  const char* name;
  With first;  // who opens the database of the dead
  bool precreate;
};

class KillInCloseTest : public testing::TestWithParam<Case> {
 protected:
  KillInCloseTest() : KillInCloseTest(std::getenv("BLOOM_LFS_TEST_SEED")) {}

  static bool StockFirst() { return GetParam().first == With::kStock; }

  // Of a database with this case's options.
  uint64_t NextConfigSeed() {
    for (;;) {
      const uint64_t seed = random_.Next();
      if (AnyCrashConfig(seed).precreate == GetParam().precreate) return seed;
    }
  }

  // Few or many, so that there is one log, or several that nobody has flushed.
  uint64_t AnyOperations() { return random_.Skewed(1, 2000); }

  static std::vector<std::string> BeginLife(CrashDb* db, uint64_t operations, int steps,
                                            bool midway) {
    std::vector<std::string> arguments = db->BeginLife(With::kPlugin, "killed in Close");
    arguments.push_back(std::to_string(operations));
    arguments.push_back(std::to_string(steps));
    arguments.emplace_back(midway ? "1" : "0");
    return arguments;
  }

  // Stock finds all of a closed database, and of one that died all that was synced.
  static void Check(CrashDb* db) {
    if (StockFirst()) {
      const bool closed = db->progress().closed.load() != 0;
      db->Look(With::kStock, closed ? Promise::kAcknowledged : Promise::kSynced);
    }
    db->Check(With::kPlugin, Promise::kAcknowledged);
    if (!StockFirst()) db->CheckNothingSetAside();
    db->Check(With::kStock, Promise::kAcknowledged);
  }

  Random random_;

 private:
  explicit KillInCloseTest(const char* seed)
      : KillInCloseTest(seed != nullptr ? std::stoull(seed) : std::random_device()()) {}
  explicit KillInCloseTest(uint64_t seed) : random_(seed) {
    std::printf("BLOOM_LFS_TEST_SEED=%llu\n", static_cast<unsigned long long>(seed));
  }
};

// Each step is that of a new database with the same options and contents.
TEST_P(KillInCloseTest, AtEveryStepNothingAcknowledgedIsLost) {
  ::setenv("BLOOM_LFS_TEST_URI", "id=bloom_lfs;io_uring=false", 0);
  int steps_in_close = 0;
  for (int n = 0; n < kConfigs && !HasFailure(); ++n) {
    const uint64_t seed = NextConfigSeed();
    const uint64_t operations = AnyOperations();
    for (const bool midway : {false, true}) {
      int exit_code = kKilled;
      int steps = static_cast<int>(random_.Below(kStride));
      for (; exit_code == kKilled && !HasFailure(); steps += kStride) {
        SCOPED_TRACE("step " + std::to_string(steps) + (midway ? ", midway" : ""));
        CrashDb db(seed, StockFirst());
        ChildProcess child("crash_closer", BeginLife(&db, operations, steps, midway));
        exit_code = child.Wait();
        ASSERT_TRUE(exit_code == kKilled || exit_code == 0) << exit_code;
        if (db.progress().closed.load() == 0) ++steps_in_close;
        Check(&db);
      }
    }
  }
  std::printf("%d kills in Close\n", steps_in_close);
  if (HasFailure()) return;
  EXPECT_GE(kStride * steps_in_close, 2 * kConfigs) << "Close was too short to test anything";
}

// The delay follows the time that Close takes: about half of the kills come before its end.
TEST_P(KillInCloseTest, AtARandomMomentNothingAcknowledgedIsLost) {
  uint64_t delay_us_max = 1000;
  int kills = 0;
  int kills_in_close = 0;
  while (kills < kKills && !HasFailure()) {
    CrashDb db(NextConfigSeed(), StockFirst());
    for (uint64_t lives = 1 + random_.Below(4); lives > 0 && !HasFailure(); --lives, ++kills) {
      ChildProcess child("crash_closer", BeginLife(&db, AnyOperations(), kNoStep, false));
      ASSERT_TRUE(WaitUntilClosing(&child, db.progress()));
      SleepMicroseconds(random_.Below(delay_us_max));
      ASSERT_TRUE(child.Running()) << "exit code " << child.Wait();
      child.Kill();
      const bool closed = db.progress().closed.load() != 0;
      kills_in_close += closed ? 0 : 1;
      delay_us_max = closed ? std::max<uint64_t>(delay_us_max / 2, 10) : 2 * delay_us_max;
      Check(&db);
    }
  }
  std::printf("%d kills, %d in Close\n", kills, kills_in_close);
}

constexpr Case kCases[] = {
    {"PluginFirst", With::kPlugin, false},
    {"StockFirst", With::kStock, false},
#if BLOOM_LFS_HAS_ASYNC_WAL_PRECREATE
    {"PluginFirstLogsMadeAhead", With::kPlugin, true},
    {"StockFirstLogsMadeAhead", With::kStock, true},
#endif
};
INSTANTIATE_TEST_SUITE_P(Openers, KillInCloseTest, testing::ValuesIn(kCases),
                         [](const testing::TestParamInfo<Case>& test) {
                           return std::string(test.param.name);
                         });

}  // namespace
}  // namespace bloom_lfs::test
