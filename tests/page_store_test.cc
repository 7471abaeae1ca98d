// A page store as its callers see it: what goes in comes out, or nothing does.
#include "lss/pages/page_store.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <random>
#include <thread>
#include <utility>

#include "tests/support/page_store_fixture.h"

namespace lss {
namespace {

using test::BytesOf;
using test::KeyOf;

using PageStoreTest = test::PageStoreFixture;

TEST_F(PageStoreTest, GivesBackWhatWasInserted) {
  OpenAndRecover();
  EXPECT_EQ(Find(1), 0);
  EXPECT_TRUE(Insert(1));
  EXPECT_EQ(Find(1), 1);
  EXPECT_EQ(Find(2), 0);
  const PageFigures figures = store_->figures();
  EXPECT_STREQ(figures.state, "open");
  EXPECT_EQ(figures.memory_hits, 1U);
  EXPECT_EQ(figures.misses, 2U);
}

TEST_F(PageStoreTest, PagesLeaveMemoryForTheFlash) {
  OpenAndRecover();
  InsertAll(0, 5000);  // 20 MB through 8 MiB
  EXPECT_GE(CountFound(0, 5000), 4990U);
  const PageFigures figures = store_->figures();
  EXPECT_GT(figures.flash_hits, 3000U);
  EXPECT_EQ(figures.stale_words, 0U);
  EXPECT_LT(figures.frame_bytes, options_.memory);
}

TEST_F(PageStoreTest, APageThatIsThereIsNotTakenAgain) {
  OpenAndRecover();
  EXPECT_TRUE(Insert(7));
  EXPECT_TRUE(Insert(7));
  InsertAll(100, 2000);
  EXPECT_TRUE(Insert(7));
  EXPECT_EQ(store_->figures().already_there, 2U);
}

TEST_F(PageStoreTest, AnErasedPageIsMissed) {
  OpenAndRecover();
  InsertAll(0, 2000);
  store_->Erase(KeyOf(3));
  store_->Erase(KeyOf(1999));
  EXPECT_EQ(Find(3), 0);
  EXPECT_EQ(Find(1999), 0);
  EXPECT_GE(CountFound(0, 2000), 1990U);
}

TEST_F(PageStoreTest, PagesOfAnySizeUpToABufferAreTaken) {
  OpenAndRecover();
  uint64_t number = 0;
  for (const uint32_t length : {1U, 63U, 64U, 4096U, 65536U, kMaxPageBytes - 1, kMaxPageBytes}) {
    const std::string bytes(length, static_cast<char>('a' + number));
    while (!store_->Insert(KeyOf(number), {bytes.data(), bytes.size()}, 0, 0)) {
      store_->AwaitIdle();
    }
    ++number;
  }
  const std::string too_large(kMaxPageBytes + 1, 'x');
  EXPECT_FALSE(store_->Insert(KeyOf(99), {too_large.data(), too_large.size()}, 0, 0));
  EXPECT_FALSE(store_->Insert(KeyOf(99), {too_large.data(), 0}, 0, 0));
  EXPECT_EQ(store_->figures().dropped_too_large, 2U);
  InsertAll(1000, 3000);
  number = 0;
  for (const uint32_t length : {1U, 63U, 64U, 4096U, 65536U, kMaxPageBytes - 1, kMaxPageBytes}) {
    ASSERT_TRUE(store_->Lookup(KeyOf(number), &copy_)) << length;
    EXPECT_EQ(std::string(copy_.bytes, copy_.length),
              std::string(length, static_cast<char>('a' + number)));
    ++number;
  }
}

TEST_F(PageStoreTest, BatchesFindWhatSingleLookupsFind) {
  for (const bool use_io_uring : {true, false}) {
    options_.use_io_uring = use_io_uring;
    OpenAndRecover();
    InsertAll(0, 4000);
    std::vector<PageLookup> lookups(200);
    std::vector<PageLookup*> pointers;
    for (size_t i = 0; i < lookups.size(); ++i) {
      lookups[i].key = KeyOf(i * 25);  // a fifth of them is not there
      pointers.push_back(&lookups[i]);
    }
    store_->Lookup(&pointers);
    for (size_t i = 0; i < lookups.size(); ++i) {
      ASSERT_EQ(lookups[i].found, i * 25 < 4000) << i;
      if (lookups[i].found) {
        EXPECT_EQ(std::string(lookups[i].copy.bytes, lookups[i].copy.length), BytesOf(i * 25));
      }
    }
  }
}

TEST_F(PageStoreTest, AFullLogGoesRoundAndNeverGivesAWrongPage) {
  OpenAndRecover();
  constexpr uint64_t kPages = 36000;  // 145 MB through 59
  std::mt19937_64 random(1);
  for (uint64_t number = 0; number < kPages; ++number) {
    InsertPatiently(number);
    // Read at once, or the policy would let it go.
    Find(number);
    if (number % 3 == 0) {
      Find(random() % (number + 1));
    }
  }
  const PageFigures figures = store_->figures();
  EXPECT_GT(figures.cleaned_bytes, options_.size);
  EXPECT_GT(figures.checkpoints, 4U);
  EXPECT_GT(CountFound(kPages - 5000, kPages), 4900U);
  EXPECT_EQ(CountFound(0, 10000), CountFound(0, 10000));
}

TEST_F(PageStoreTest, UnreadPagesOfAFullLogGoNoFurther) {
  OpenAndRecover();
  InsertAll(0, 20000);  // full
  const uint64_t admitted = store_->figures().admitted_pages;
  InsertAll(20000, 26000);
  store_->AwaitIdle();
  const PageFigures figures = store_->figures();
  EXPECT_GT(figures.dropped_unread, 3000U);
  EXPECT_LT(figures.admitted_pages - admitted, 2500U);
}

TEST_F(PageStoreTest, APageThatComesBackSoonIsAdmitted) {
  OpenAndRecover();
  InsertAll(0, 22000);
  store_->AwaitIdle();
  uint64_t dropped = 22000;
  for (uint64_t number = 21999; number > 19000; --number) {
    dropped = Find(number) == 0 ? number : dropped;
  }
  ASSERT_LT(dropped, 22000U);
  InsertPatiently(dropped);
  InsertAll(30000, 33000);
  store_->AwaitIdle();
  EXPECT_EQ(Find(dropped), 1) << dropped;
}

class PageStoreTakesAllTest : public PageStoreTest,
                              public testing::WithParamInterface<std::pair<PagePolicy, Admit>> {};

TEST_P(PageStoreTakesAllTest, NothingIsDroppedForWantOfReaders) {
  options_.policy = GetParam().first;
  options_.admit = GetParam().second;
  OpenAndRecover();
  InsertAll(0, 26000);
  EXPECT_EQ(store_->figures().dropped_unread, 0U);
  EXPECT_GT(CountFound(16000, 26000), 9900U);
}

INSTANTIATE_TEST_SUITE_P(Policies, PageStoreTakesAllTest,
                         testing::Values(std::pair(PagePolicy::kS3Fifo, Admit::kAll),
                                         std::pair(PagePolicy::kLru, Admit::kAuto)));

TEST_F(PageStoreTest, TheWriteRateBoundsWhatAFullLogTakes) {
  options_.admit = Admit::kAll;
  options_.write_rate = 1 << 20;
  OpenAndRecover();
  InsertAll(0, 16000);  // full: no limit until then
  const uint64_t before = store_->figures().admitted_bytes;
  EXPECT_GT(before, 50ULL << 20);
  const auto start = std::chrono::steady_clock::now();
  InsertAll(16000, 26000);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  const PageFigures figures = store_->figures();
  EXPECT_GT(figures.dropped_by_rate, 1000U);
  EXPECT_LT(static_cast<double>(figures.admitted_bytes - before),
            (took.count() + 2) * static_cast<double>(options_.write_rate) + (4 << 20));
}

TEST_F(PageStoreTest, SmallPagesGoOnBeingTaken) {
  OpenAndRecover();
  InsertAll(0, 16000);  // full
  const auto put = [this](uint64_t number) {
    const std::string bytes(700, static_cast<char>('a' + number % 26));
    return store_->Insert(KeyOf(number), {bytes.data(), bytes.size()}, 1, 2);
  };
  uint64_t taken = 0;
  for (uint64_t number = 100000; number < 130000; ++number) {
    taken += put(number) ? 1 : 0;
    if (number % 500 == 0) {
      store_->AwaitIdle();
    }
  }
  EXPECT_GT(taken, 29000U);
}

TEST_F(PageStoreTest, AFileThatIsCutWhileItIsUsedCostsTheTierAndNothingElse) {
  OpenAndRecover();
  InsertAll(0, 3000);
  store_->AwaitIdle();
  ASSERT_EQ(truncate((options_.path + "/pages").c_str(), 4096), 0);
  for (uint64_t number = 0; number < 1500; ++number) {
    Find(number);
  }
  EXPECT_TRUE(store_->off());
  EXPECT_EQ(warnings().size(), 1U) << AllWarnings();
  EXPECT_FALSE(Insert(5000));
  Close();
}

TEST_F(PageStoreTest, APageThatGoesSoonMayBeInsertedAgainAndStays) {
  options_.admit = Admit::kAll;
  OpenAndRecover();
  constexpr uint64_t kFull = 15000;
  InsertAll(0, kFull);
  store_->AwaitIdle();
  uint64_t oldest = 0;
  while (oldest < kFull && Find(oldest) == 0) {
    ++oldest;
  }
  ASSERT_LT(oldest, kFull - 5000);
  const uint64_t other = oldest + 1;
  const uint64_t young = kFull - 4000;  // on the flash
  EXPECT_TRUE(copy_.goes_soon);
  EXPECT_EQ(store_->LookFor(KeyOf(oldest)), PageStore::Presence::kGoesSoon);
  ASSERT_EQ(Find(other), 1);
  ASSERT_EQ(Find(young), 1);
  EXPECT_FALSE(copy_.goes_soon);
  EXPECT_EQ(store_->LookFor(KeyOf(young)), PageStore::Presence::kLikely);
  const PageFigures before = store_->figures();
  EXPECT_TRUE(Insert(young));
  EXPECT_EQ(store_->figures().already_there, before.already_there + 1);
  EXPECT_TRUE(Insert(oldest));
  EXPECT_EQ(store_->figures().inserted, before.inserted + 1);
  InsertAll(kFull, kFull + 3000);  // the log runs over both old places
  EXPECT_EQ(Find(oldest), 1);
  EXPECT_EQ(Find(other), 0);
}

TEST_F(PageStoreTest, ABatchForgetsWhatAnEarlierOneFound) {
  OpenAndRecover();
  InsertAll(0, 3000);
  PageLookup lookup;
  lookup.key = KeyOf(5);
  lookup.found = true;  // of an earlier use
  std::vector<PageLookup*> lookups = {&lookup};
  store_->Erase(KeyOf(5));
  store_->Lookup(&lookups);
  EXPECT_FALSE(lookup.found);
  EXPECT_TRUE(Insert(5));
  EXPECT_EQ(Find(5), 1);
}

TEST_F(PageStoreTest, ManyThreadsFindRightPagesOrNone) {
  options_.admit = Admit::kAll;
  OpenAndRecover();
  std::atomic<uint64_t> next{0};
  std::atomic<uint64_t> wrong{0};
  const auto work = [&](uint64_t seed) {
    std::mt19937_64 random(seed);
    PageCopy copy;
    for (;;) {
      const uint64_t number = next.fetch_add(1);
      if (number >= 24000) {
        return;
      }
      const std::string bytes = BytesOf(number);
      while (!store_->Insert(KeyOf(number), {bytes.data(), bytes.size()}, 1, 2) &&
             !store_->off()) {  // until the worker has made room
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
      for (int i = 0; i < 3; ++i) {
        const uint64_t other = number - random() % std::min<uint64_t>(number + 1, 12000);
        if (store_->Lookup(KeyOf(other), &copy) &&
            std::string(copy.bytes, copy.length) != BytesOf(other)) {
          wrong.fetch_add(1);
        }
        if (random() % 50 == 0) {
          store_->Erase(KeyOf(other));
        }
      }
    }
  };
  std::vector<std::thread> threads;
  for (uint64_t i = 0; i < 4; ++i) {
    threads.emplace_back(work, i);
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(wrong.load(), 0U);
  EXPECT_GT(store_->figures().cleaned_bytes, 0U);
}

TEST_F(PageStoreTest, AForkedChildMissesAndLeavesTheParentAlone) {
  OpenAndRecover();
  InsertAll(0, 1000);
  const pid_t child = fork();
  if (child == 0) {
    const bool missed = !store_->Lookup(KeyOf(1), &copy_) && !Insert(5000);
    store_.reset();
    _exit(missed ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  InsertAll(1000, 3000);
  EXPECT_GE(CountFound(0, 3000), 2990U);
}

TEST_F(PageStoreTest, ASecondUserOfTheDirectoryGoesWithout) {
  OpenAndRecover();
  InsertAll(0, 100);
  std::unique_ptr<PageStore> second;
  ASSERT_TRUE(PageStore::Open(&runtime_, options_, &second).ok());
  EXPECT_FALSE(second->AwaitOpen());
  EXPECT_TRUE(second->off());
  EXPECT_EQ(warnings().size(), 1U);
  PageCopy copy;
  EXPECT_FALSE(second->Lookup(KeyOf(1), &copy));
  EXPECT_EQ(CountFound(0, 100), 100U);
}

TEST_F(PageStoreTest, BadOptionsAreNamed) {
  const auto refused = [this](const std::string& option) {
    std::unique_ptr<PageStore> store;
    const Status status = PageStore::Open(&runtime_, options_, &store);
    EXPECT_EQ(status.code(), Status::Code::kInvalidArgument);
    EXPECT_NE(status.message().find(option), std::string::npos) << status.message();
  };
  options_.size = 1 << 20;
  refused("size");
  options_.size = 64ULL << 20;
  options_.memory = 1;
  refused("memory");
  options_.memory = 8ULL << 20;
  options_.mean_page_bytes = 1;
  refused("mean_page_bytes");
  options_.mean_page_bytes = 4096;
  options_.path = "";
  refused("path");
}

}  // namespace
}  // namespace lss
