// A store's whole life, killed before each system call on its files, or in the middle of a write:
// the crash points of lss/CRASHES.md, all of them, whatever the kernel was just asked.
//
// The child's system calls go through watched_calls.
#include <gtest/gtest.h>
#include <signal.h>

#include <cstdio>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "tests/crash/store_writer.h"
#include "tests/crash/watched_calls.h"
#include "tests/support/child_process.h"
#include "tests/support/deferred_work.h"
#include "tests/support/temp_dir.h"

namespace lss::test {
namespace {

using bloom_lfs::test::ChildProcess;
using bloom_lfs::test::RegisterChild;
using bloom_lfs::test::TempDir;

StoreOptions Options() {
  StoreOptions options;
  options.buffer_bytes = 4096;
  options.buffer_count = 4;
  options.use_io_uring = false;  // writes as pwritev2, which we can stand in front of
  options.frontier_bytes = 64 << 10;
  options.allocation_step_bytes = 64 << 10;
  options.idle_flush_ms = 1;
  return options;
}

// Cold and short: most logs.
void ShortLife(StoreWriter* writer) {
  writer->Append(3000);
  writer->Sync();
  writer->Append(3000);
  writer->Close();
}

// Cold, hot by its third sync, with a frontier, settled, and closed.
void SyncedLife(StoreWriter* writer) {
  for (int i = 0; i < 12; ++i) {
    writer->Append(static_cast<size_t>(1000 + 100 * i));
    writer->Sync();
  }
  writer->Settle();
  writer->Append(700);
  writer->Sync();
  writer->Append(100);
  writer->Close();
}

// Never synced: rounds of the ring, and appends larger than it.
void BulkLife(StoreWriter* writer) {
  for (const size_t n : {5000, 20000, 100, 50000, 4096, 12288, 3}) {
    writer->Append(n);
    writer->Check(0, 100000);
  }
  writer->Close();
}

// Continues a log that was closed: the bytes of its last page are adopted.
void SecondLife(StoreWriter* writer) {
  writer->Append(9000);
  writer->Sync();
  writer->Close();
}

// As a blob file: much at once, synced at its end; and again, as when it is read before that.
void BlobLife(StoreWriter* writer) {
  for (const size_t n : {30, 40000, 9000, 70000, 33}) {
    writer->Append(n);
  }
  writer->Sync();
  writer->Check(0, 200000);
  writer->Append(21000);
  writer->Append(32);
  writer->Sync();
  writer->Close();
}

struct Life {
  const char* name;
  size_t bytes_before;  // written and closed before anybody counts
  void (*live)(StoreWriter*);
  Pace predecessor;
  WriteMode mode = WriteMode::kSerializedWrites;
};
constexpr Life kLives[] = {{"short", 0, ShortLife, {}},
                           {"synced", 0, SyncedLife, {}},
                           {"bulk", 0, BulkLife, {}},
                           {"second", 20000, SecondLife, {}},
                           {"successor", 0, SyncedLife, {16 << 10, true, 16 << 10}},
                           {"blob", 0, BlobLife, {}, WriteMode::kTailLocalizedWrites}};
constexpr uint64_t kSeed = 20240505;

// args: log, progress file, number of the life, steps to live, whether to die midway
int StoreLifeMain(const std::vector<std::string>& args) {
  const StoreProgressFile progress(args.at(1));
  const Life& life = kLives[std::stoul(args.at(2))];
  if (life.bytes_before > 0) {
    StoreWriter before(args.at(0), Options(), kSeed, progress.operator->());
    before.Append(life.bytes_before);
    before.Close();
    bloom_lfs::test::AwaitDeferredWork();
  }
  DieAfter(std::stoi(args.at(3)), args.at(4) == "1");
  StoreOptions options = Options();
  options.write_mode = life.mode;
  if (life.mode == WriteMode::kTailLocalizedWrites) {
    options.exact_size_when_synced = true;
    options.frontier_bytes = 0;
  }
  StoreWriter writer(args.at(0), options, kSeed, progress.operator->());
  if (life.bytes_before == 0) {
    writer.store()->TakeOver(life.predecessor);
  }
  life.live(&writer);
  return 0;  // the last steps of a close are taken on the way out
}
const RegisterChild store_life("store_life", StoreLifeMain);

class CrashStepsTest : public testing::TestWithParam<size_t> {
 protected:
  static constexpr int kKilled = 128 + SIGKILL;
};

TEST_P(CrashStepsTest, WhateverTheKernelWasAskedLastNothingIsLostOrTorn) {
  std::map<std::string, int> seen;
  const Life& life = kLives[GetParam()];
  for (const bool midway : {false, true}) {
    int steps = 0;
    for (int exit_code = kKilled; exit_code == kKilled && !HasFailure(); ++steps) {
      SCOPED_TRACE(std::string(life.name) + (midway ? ", midway" : "") + ", step " +
                   std::to_string(steps));
      const TempDir dir;
      const StoreProgressFile progress(dir / "progress");
      ChildProcess child("store_life",
                         {dir / "000007.log", dir / "progress", std::to_string(GetParam()),
                          std::to_string(steps), midway ? "1" : "0"});
      exit_code = child.Wait();
      ASSERT_TRUE(exit_code == kKilled || exit_code == 0) << exit_code;
      const StoreVerdict verdict =
          CheckKilledStore(dir / "000007.log", kSeed, *progress.operator->());
      ++seen[verdict.ring_found ? NameOf(verdict.ring_case) : "no ring"];
    }
    EXPECT_GT(steps, 5) << "the life was too short to test anything";
  }
  for (const auto& [name, count] : seen) {
    std::printf("%s: %d\n", name.c_str(), count);
  }
  EXPECT_EQ(seen["R1 unfinished"], 0) << "a ring has its name when it is whole";
  EXPECT_GT(seen["R3 process killed"], 0);
  EXPECT_GT(seen["no ring"], 0);
}

INSTANTIATE_TEST_SUITE_P(Lives, CrashStepsTest, testing::Range<size_t>(0, std::size(kLives)),
                         [](const testing::TestParamInfo<size_t>& life) {
                           return std::string(kLives[life.param].name);
                         });

}  // namespace
}  // namespace lss::test
