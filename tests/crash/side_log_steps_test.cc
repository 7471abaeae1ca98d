// A process that uses a side log, killed before each system call on its files, or in the middle of
// a write: whoever opens the place next finds all that was acknowledged and is wanted, nothing that
// is wrong, and a log that can be written.
//
// The child's system calls go through watched_calls.
#include <gtest/gtest.h>
#include <signal.h>

#include <cstdlib>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "tests/crash/side_writer.h"
#include "tests/crash/watched_calls.h"
#include "tests/support/child_process.h"
#include "tests/support/temp_dir.h"

namespace lss::test {
namespace {

using bloom_lfs::test::ChildProcess;
using bloom_lfs::test::RegisterChild;
using bloom_lfs::test::TempDir;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int kStride = 7;  // each step takes its time
#else
constexpr int kStride = 1;
#endif
constexpr size_t kMuch = 100000;  // most of a group
constexpr uint64_t kInFlight = 3;

void NothingBefore(const std::string& /*place*/, SideProgress* /*progress*/) {}

// A new log, prepared ahead, whose room is given back in all ways.
void FreshLife(const std::string& place, SideProgress* progress) {
  SideWriter writer(place, progress);
  writer.Put(0, 100);
  writer.Append(1, 5000);
  writer.Put(2, 3 * kMuch);  // in pieces
  if (Status status = writer.log()->PrepareAhead(kMuch); !status.ok()) {
    std::abort();
  }
  writer.FileDurable(0);
  writer.Put(0, 30);
  writer.Put(1, 30);
  writer.Forget(2);
  writer.log()->NoteHead();
  writer.Put(2, kMuch);
  writer.Append(0, 100);
}

void LeaveRecords(const std::string& place, SideProgress* progress) {
  SideWriter writer(place, progress);
  for (uint64_t stream = 0; stream < SideProgress::kStreams; ++stream) {
    writer.Put(stream, 1000);
    writer.Append(stream, 1000);
  }
}

// Taken over from one that left records, and from itself.
void SuccessorLife(const std::string& place, SideProgress* progress) {
  for (uint64_t stream = 0; stream < 3; ++stream) {
    SideWriter writer(place, progress);
    writer.Put(stream, 5000);
    writer.Put(3, 50);
    writer.FileDurable(stream);
    writer.log()->NoteHead();
  }
}

// Each opening leaves room: so the log is nearly gone round.
void ComeNearTheEnd(const std::string& place, SideProgress* progress) {
  for (int i = 0; i < 4; ++i) {
    SideWriter writer(place, progress);
    writer.Put(0, 3 * kMuch);
    writer.FileDurable(0);
    writer.log()->NoteHead();
  }
}

// Past the log's end, the heads behind it; every other record is wanted long.
void RoundLife(const std::string& place, SideProgress* progress) {
  SideWriter writer(place, progress);
  writer.Put(1, 100);
  for (int i = 0; i < 24; ++i) {
    writer.Put(0, kMuch);
    writer.FileDurable(0);
    if (i % 8 == 7) {
      writer.FileDurable(1);
      writer.Put(1, 100);
    }
  }
}

// Two appenders whose groups are under way at once, while room is given back and prepared.
void ThreadsLife(const std::string& place, SideProgress* progress) {
  SideWriter writer(place, progress, kInFlight);
  std::vector<std::thread> threads;
  for (uint64_t thread = 0; thread < 2; ++thread) {
    threads.emplace_back([&writer, thread] {
      for (size_t i = 0; i < 6; ++i) {
        writer.Put(thread, 3000 * i + 1);
        writer.Append(thread + 2, 700);
        writer.Put(thread + 2, kMuch / 2);
        writer.FileDurable(thread);
      }
    });
  }
  (void)writer.log()->PrepareAhead(kMuch);
  writer.log()->NoteHead();
  for (std::thread& thread : threads) {
    thread.join();
  }
}

struct Life {
  const char* name;
  void (*before)(const std::string&, SideProgress*);  // before anybody counts
  void (*live)(const std::string&, SideProgress*);
};
constexpr Life kLives[] = {{"fresh", NothingBefore, FreshLife},
                           {"successor", LeaveRecords, SuccessorLife},
                           {"round", ComeNearTheEnd, RoundLife},
                           {"threads", LeaveRecords, ThreadsLife}};

// args: directory, progress file, number of the life, steps to live, whether to die midway
int SideLogLifeMain(const std::vector<std::string>& args) {
  const SideProgressFile progress(args.at(1));
  const Life& life = kLives[std::stoul(args.at(2))];
  life.before(args.at(0), progress.get());
  DieAfter(std::stoi(args.at(3)), args.at(4) == "1");
  life.live(args.at(0), progress.get());
  return 0;
}
const RegisterChild side_log_life("side_log_life", SideLogLifeMain);

// Three processes more use the place, and the last finds only what it should. Gives how many
// records the first has found.
uint64_t CheckPlace(const std::string& place, SideProgress* progress) {
  uint64_t records = 0;
  {
    SideWriter first(place, progress);
    EXPECT_EQ(first.log()->space().name(), place + "/side-1") << "the log is free";
    CheckFound(first.found(), *progress);
    records = first.found().records;
    for (uint64_t stream = 0; stream < SideProgress::kStreams; ++stream) {
      first.Put(stream, 5000);
    }
  }
  {
    SideWriter second(place, progress);
    CheckFound(second.found(), *progress);
    for (uint64_t stream = 0; stream < SideProgress::kStreams; ++stream) {
      second.Forget(stream);
    }
    second.log()->NoteHead();
    second.Put(0, 500);
  }
  const SideWriter third(place, progress);
  CheckFound(third.found(), *progress);
  EXPECT_EQ(third.found().records, 1U);
  return records;
}

class SideLogStepsTest : public testing::TestWithParam<size_t> {
 protected:
  static constexpr int kKilled = 128 + SIGKILL;
};

TEST_P(SideLogStepsTest, WhateverTheKernelWasAskedLastNothingAcknowledgedIsLost) {
  uint64_t found = 0;
  for (const bool midway : {false, true}) {
    int steps = 0;
    for (int exit_code = kKilled; exit_code == kKilled && !HasFailure(); steps += kStride) {
      SCOPED_TRACE(std::string(kLives[GetParam()].name) + (midway ? ", midway" : "") + ", step " +
                   std::to_string(steps));
      const TempDir dir;
      const SideProgressFile progress(dir / "progress");
      ChildProcess child("side_log_life",
                         {dir / "place", dir / "progress", std::to_string(GetParam()),
                          std::to_string(steps), midway ? "1" : "0"});
      exit_code = child.Wait();
      ASSERT_TRUE(exit_code == kKilled || exit_code == 0) << exit_code;
      ASSERT_NO_THROW(found += CheckPlace(dir / "place", progress.get()));
    }
    EXPECT_GT(steps, 10) << "the life was too short to test anything";
  }
  EXPECT_GT(found, 0U);
}

INSTANTIATE_TEST_SUITE_P(Lives, SideLogStepsTest, testing::Range<size_t>(0, std::size(kLives)),
                         [](const testing::TestParamInfo<size_t>& life) {
                           return std::string(kLives[life.param].name);
                         });

}  // namespace
}  // namespace lss::test
