// A page store, killed before each system call and in the middle of each write, and at random
// moments: afterwards every page is right or missing, the store is usable, and a kill has cost a
// ring at most.
//
// BLOOM_LFS_KILL_STRIDE=1 tries every step, not each of a few; BLOOM_LFS_KILL_ROUNDS says how often
// it is killed at random, BLOOM_LFS_TEST_SEED when.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/crash/page_store_life.h"
#include "tests/crash/watched_calls.h"
#include "tests/support/child_process.h"

namespace lss::test {
namespace {

namespace fs = std::filesystem;
using bloom_lfs::test::ChildProcess;
using bloom_lfs::test::RegisterChild;
using bloom_lfs::test::TempDir;

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* const text = getenv(name);
  return text != nullptr ? std::stoull(text) : otherwise;
}

// What a life notes for those who look after a kill.
struct Progress {
  uint64_t pages = 0;  // that have left memory for certain
  uint64_t checkpoints = 0;
  uint64_t cleaned_bytes = 0;
  uint64_t rewritten_pages = 0;
};
void Note(const std::string& path, const Progress& progress) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT, 0600);
  (void)!write(fd, &progress, sizeof(progress));
  close(fd);
}
Progress Noted(const std::string& path) {
  Progress progress;
  if (const int fd = open(path.c_str(), O_RDONLY); fd >= 0) {
    (void)!pread(fd, &progress, sizeof(progress), 0);
    close(fd);
  }
  return progress;
}

constexpr int kKilled = 128 + SIGKILL;
constexpr uint64_t kStep = 300;
// A ring of pages, whose mean record is 4 KiB or so.
constexpr uint64_t kRingPages = PageLog::kRingBytes / 4096 + 300;
// Of those before, which the log does not run over.
constexpr uint64_t kOldPages = 7000;
constexpr uint64_t kSample = 4;  // every fourth of them is looked up
// Two in ten thousand pages cannot be told from others by what the table keeps of them.
constexpr uint64_t AllBut(uint64_t pages) { return pages - pages / 1000; }

// Inserts pages [first, last) step by step.
void Live(PageStore* store, const std::string& progress, uint64_t first, uint64_t last) {
  for (uint64_t from = first; from < last; from += kStep) {
    InsertPages(store, from, from + kStep);
    store->AwaitIdle();
    store->AwaitIdle();
    const PageFigures figures = store->figures();
    Note(progress,
         {from + kStep, figures.checkpoints, figures.cleaned_bytes, figures.rewritten_pages});
  }
}

struct Life {
  const char* name;
  uint64_t pages_before;  // inserted, and closed, before anybody counts
  uint64_t pages;         // more than a ring of them
  uint64_t stride;        // of the steps at which it is killed
};
#ifdef __SANITIZE_ADDRESS__
constexpr uint64_t kFewer = 12;  // each step takes its time
#else
constexpr uint64_t kFewer = 4;
#endif
// In an empty store, and in one whose log is cleaned as it goes on.
constexpr Life kLives[] = {{"fresh", 0, 9 * kStep, kFewer}, {"full", 17000, 9 * kStep, 5 * kFewer}};

// Some of the pages that the log runs over next become worth writing again.
void HeatOldPages(PageStore* store, uint64_t pages_before) {
  PageCopy copy;
  for (uint64_t number = pages_before - 15000; number < pages_before - 10000; number += 10) {
    store->Lookup(KeyOf(number), &copy);
    store->Lookup(KeyOf(number), &copy);
  }
}

// args: directory, progress file, number of the life, steps to live, whether to die midway
int PageStoreLifeMain(const std::vector<std::string>& args) {
  const Life& life = kLives[std::stoul(args.at(2))];
  DieAfter(std::stoi(args.at(3)), args.at(4) == "1");
  Runtime runtime;
  std::unique_ptr<PageStore> store;
  if (!PageStore::Open(&runtime, LifeOptions(args.at(0)), &store).ok() || !store->AwaitOpen()) {
    return 2;
  }
  if (life.pages_before > 0) {
    HeatOldPages(store.get(), life.pages_before);
  }
  Live(store.get(), args.at(1), life.pages_before, life.pages_before + life.pages);
  store.reset();
  runtime.Stop();
  return 0;
}
const RegisterChild kPageStoreLife("page_store_life", PageStoreLifeMain);

class PageStoreStepsTest : public testing::TestWithParam<size_t> {
 protected:
  const Life& life() const { return kLives[GetParam()]; }
  std::string before() const { return dir_ / "before"; }
  std::string tier() const { return dir_ / "tier"; }
  std::string progress() const { return dir_ / "progress"; }

  // One life that ends before the step, or in it. Its exit code.
  int LiveUntil(uint64_t step, bool midway) {
    fs::remove_all(tier());
    fs::remove(progress());
    if (fs::exists(before())) {
      fs::copy(before(), tier(), fs::copy_options::recursive);
    }
    ChildProcess child("page_store_life", {tier(), progress(), std::to_string(GetParam()),
                                           std::to_string(step), midway ? "1" : "0"});
    return child.Wait();
  }
  // How many of the life's pages are there. One that has closed the store loses none.
  uint64_t CheckWhatIsLeft(bool killed) {
    const uint64_t first = life().pages_before;
    const uint64_t known = std::max(Noted(progress()).pages, first);
    OpenedStore store(LifeOptions(tier()));
    if (first > 0) {
      EXPECT_GE(store.CountRight(first - kOldPages, first, kSample), AllBut(kOldPages / kSample));
    }
    const uint64_t found = store.CountRight(first, known);
    EXPECT_GE(found + (killed ? kRingPages : 0), AllBut(known - first));
    store.ExpectUsable();
    return found;
  }

  const TempDir dir_;
};

TEST_P(PageStoreStepsTest, KilledAnywhereItIsRightAndWarmButForARing) {
  if (life().pages_before > 0) {
    OpenedStore store(LifeOptions(before()));
    InsertPages(store.get(), 0, life().pages_before);
  }
  const uint64_t stride = FromEnvironment("BLOOM_LFS_KILL_STRIDE", life().stride);
  uint64_t most_found = 0;
  for (const bool midway : {false, true}) {
    uint64_t step = std::random_device()() % stride;  // another one each time
    uint64_t lives = 0;
    for (int exit_code = kKilled; exit_code == kKilled && !HasFailure(); step += stride) {
      SCOPED_TRACE(std::string(midway ? "in step " : "before step ") + std::to_string(step));
      exit_code = LiveUntil(step, midway);
      ASSERT_TRUE(exit_code == kKilled || exit_code == 0) << exit_code;
      const uint64_t found = CheckWhatIsLeft(exit_code == kKilled);
      most_found = exit_code == kKilled ? std::max(most_found, found) : most_found;
      ++lives;
    }
    std::printf("%s: %llu lives, ended %s every step of about %llu\n", life().name,
                static_cast<unsigned long long>(lives), midway ? "in" : "before",
                static_cast<unsigned long long>(step));
    EXPECT_GT(step, 30U) << "the life was too short to test anything";
    // What the last life, which nobody killed, has done before it closed the store.
    const Progress whole = Noted(progress());
    EXPECT_GT(whole.checkpoints, 2U);
    if (life().pages_before > 0) {
      EXPECT_GT(whole.cleaned_bytes, 2 * PageLog::kRingBytes);
      EXPECT_GT(whole.rewritten_pages, 20U);
    }
  }
  EXPECT_GT(most_found, kStep) << "some were killed late enough to leave something";
}

INSTANTIATE_TEST_SUITE_P(Lives, PageStoreStepsTest, testing::Range<size_t>(0, std::size(kLives)),
                         [](const testing::TestParamInfo<size_t>& life) {
                           return std::string(kLives[life.param].name);
                         });

// args: directory, progress file
int PageStoreRestlessMain(const std::vector<std::string>& args) {
  PageStoreOptions options = LifeOptions(args.at(0));
  options.use_io_uring = true;
  OpenedStore store(options);
  for (uint64_t from = Noted(args.at(1)).pages;; from += kStep) {
    Live(store.get(), args.at(1), from, from + kStep);
  }
}
const RegisterChild kPageStoreRestless("page_store_restless", PageStoreRestlessMain);

class PageStoreRandomKillTest : public testing::Test {
 protected:
  PageStoreRandomKillTest()
      : seed_(FromEnvironment("BLOOM_LFS_TEST_SEED", std::random_device()())) {
    std::printf("BLOOM_LFS_TEST_SEED=%llu\n", static_cast<unsigned long long>(seed_));
  }

  // Kills a life after it has noted a few pages, or none: then it may still be recovering.
  void LiveAndDie() {
    const uint64_t first = Noted(progress()).pages;
    const uint64_t last = random_() % 3 == 0 ? first : first + random_() % 3000;
    ChildProcess child("page_store_restless", {tier(), progress()});
    while (Noted(progress()).pages < last) {
      ASSERT_TRUE(child.Running()) << "it has ended by itself";
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    std::this_thread::sleep_for(std::chrono::microseconds(random_() % 30000));
    child.Kill();
    lives_.emplace_back(first, Noted(progress()).pages);
  }
  // A copy of what is left, so that the next life begins with what the kill has left.
  void CheckWhatIsLeft() {
    const std::string copy = dir_ / "copy";
    fs::remove_all(copy);
    if (!fs::exists(tier())) {
      return;  // killed before it made the directory
    }
    fs::copy(tier(), copy, fs::copy_options::recursive);
    PageStoreOptions options = LifeOptions(copy);
    options.use_io_uring = true;
    OpenedStore store(options);
    const uint64_t last = lives_.back().second;
    for (const auto& [from, to] : lives_) {
      if (from + kOldPages >= last) {
        EXPECT_GE(store.CountRight(from, to) + kRingPages, AllBut(to - from))
            << from << " to " << to;
      }
    }
    store.CountRight(0, last, 10 * kSample);
    store.ExpectUsable();
  }

  std::string tier() const { return dir_ / "tier"; }
  std::string progress() const { return dir_ / "progress"; }

  const TempDir dir_;
  const uint64_t seed_;
  std::mt19937_64 random_{seed_};
  std::vector<std::pair<uint64_t, uint64_t>> lives_;  // the pages of each
};

TEST_F(PageStoreRandomKillTest, WithIoUringItIsRightAndWarmButForARingOfEachLife) {
  const uint64_t rounds = FromEnvironment("BLOOM_LFS_KILL_ROUNDS", 10);
  for (uint64_t round = 0; round < rounds && !HasFailure(); ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    LiveAndDie();
    CheckWhatIsLeft();
  }
}

}  // namespace
}  // namespace lss::test
