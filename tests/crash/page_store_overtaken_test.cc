// The log goes round between the moment at which a reader learns where a page is and the moment at
// which it reads there: it misses, and what it does about the old word harms no new one.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/crash/watched_calls.h"
#include "tests/support/page_store_fixture.h"

namespace lss::test {
namespace {

class PageStoreOvertakenTest : public PageStoreFixture {
 protected:
  PageStoreOvertakenTest() {
    options_.admit = Admit::kAll;
    options_.use_io_uring = false;  // batches are read as single pages are, with us in between
    OpenAndRecover();
    PutAll(0, kPages);
    store_->AwaitIdle();
  }
  ~PageStoreOvertakenTest() override { FailReads(0); }

  // Pages of one size, so that one lies exactly where another one was a lap before.
  static std::string PageOf(uint64_t number) {
    std::string page = std::to_string(number);
    page.resize(4000, static_cast<char>('a' + number % 26));
    return page;
  }
  void Put(uint64_t number) {
    const std::string page = PageOf(number);
    while (!store_->Insert(KeyOf(number), {page.data(), page.size()}, 1, 2)) {
      ASSERT_FALSE(store_->off()) << AllWarnings();
      store_->AwaitIdle();
    }
  }
  void PutAll(uint64_t from, uint64_t to) {
    for (uint64_t number = from; number < to; ++number) {
      Put(number);
    }
  }
  bool Finds(uint64_t number) {
    const bool found = store_->Lookup(KeyOf(number), &copy_);
    if (found) {
      EXPECT_EQ(std::string(copy_.bytes, copy_.length), PageOf(number));
    }
    return found;
  }
  // More than a lap: other pages are where the first ones were.
  void GoRound() {
    const uint64_t lap = PageFileLayout::For(options_.size, 4096).log.bytes / 4096;
    PutAll(kPages, kPages + lap + kPages);
    store_->AwaitIdle();
  }

  static constexpr uint64_t kPages = 2000;
  static constexpr uint64_t kAsked = 5;
};

TEST_F(PageStoreOvertakenTest, AReaderMisses) {
  BeforeNextRead([&] { GoRound(); });
  EXPECT_FALSE(Finds(kAsked));
  const PageFigures figures = store_->figures();
  EXPECT_GT(figures.cleaned_bytes, 0U);
  EXPECT_EQ(figures.misses, 1U);
  EXPECT_EQ(figures.flash_hits, 0U);
  EXPECT_EQ(figures.stale_words, 0U) << "the cleaner has taken the word";
  EXPECT_EQ(figures.collisions, 0U);
}

TEST_F(PageStoreOvertakenTest, ABatchMisses) {
  std::vector<PageLookup> lookups(3);
  std::vector<PageLookup*> pointers;
  for (size_t i = 0; i < lookups.size(); ++i) {
    lookups[i].key = KeyOf(kAsked + i);
    pointers.push_back(&lookups[i]);
  }
  BeforeNextRead([&] { GoRound(); });
  store_->Lookup(&pointers);
  for (const PageLookup& lookup : lookups) {
    EXPECT_FALSE(lookup.found);
  }
  EXPECT_EQ(store_->figures().misses, lookups.size());
}

TEST_F(PageStoreOvertakenTest, ThePageThatHasComeBackMeanwhileStays) {
  BeforeNextRead([&] {
    GoRound();
    Put(kAsked);
    PutAll(100000, 101000);  // and has left memory again
    store_->AwaitIdle();
  });
  EXPECT_FALSE(Finds(kAsked)) << "it was read where it had been";
  EXPECT_EQ(store_->figures().stale_words, 0U);
  EXPECT_TRUE(Finds(kAsked));
}

// What the cleaner cannot read it cannot clean: its words lead to other pages, until a reader sees.
TEST_F(PageStoreOvertakenTest, AWordThatWasNotCleanedIsStaleOnce) {
  BeforeNextRead([&] {
    FailReads(1);  // the first MiB's, which holds the page
    GoRound();
  });
  EXPECT_FALSE(Finds(kAsked));
  EXPECT_EQ(store_->figures().read_errors, 1U);
  EXPECT_EQ(store_->figures().stale_words, 1U);
  EXPECT_FALSE(Finds(kAsked));
  const PageFigures figures = store_->figures();
  EXPECT_EQ(figures.stale_words, 1U) << "its word is gone";
  EXPECT_EQ(figures.misses, 2U);
  EXPECT_EQ(figures.flash_hits, 0U);
  Put(kAsked);
  EXPECT_TRUE(Finds(kAsked));
}

}  // namespace
}  // namespace lss::test
