// The default policy beside the other one, on a skewed load over twice what the tier holds, with
// and without scans: it finds no fewer pages and writes less.
//
// BLOOM_LFS_POLICY_LOOKUPS=300000 gives the figures of lss/pages/README.md.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <list>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

#include "tests/support/page_store_fixture.h"

namespace lss {
namespace {

struct Load {
  double skew;         // the n-th page is asked for in proportion to n^-skew
  uint64_t scans_pct;  // of what is asked for, in pages that nobody asks for again
};

struct Outcome {
  double hit_ratio = 0;  // of what is no scan
  uint64_t written_bytes = 0;
};

// What a block cache of `pages` holds, least recently used first to go.
class MemoryCache {
 public:
  explicit MemoryCache(size_t pages) : pages_(pages) {}
  bool Has(uint64_t page) {
    const auto at = index_.find(page);
    if (at != index_.end()) {
      order_.splice(order_.begin(), order_, at->second);
    }
    return at != index_.end();
  }
  // `kept`: a cache below has it. True: `evicted` made room, which no cache below has.
  bool Put(uint64_t page, bool kept, uint64_t* evicted) {
    order_.push_front({page, kept});
    index_[page] = order_.begin();
    if (order_.size() <= pages_) {
      return false;
    }
    const Entry last = order_.back();
    order_.pop_back();
    index_.erase(last.page);
    *evicted = last.page;
    return !last.kept;
  }

 private:
  struct Entry {
    uint64_t page;
    bool kept;
  };
  const size_t pages_;
  std::list<Entry> order_;
  std::unordered_map<uint64_t, std::list<Entry>::iterator> index_;
};

class PagePolicyTest : public test::PageStoreFixture {
 protected:
  PagePolicyTest() {
    const char* const text = getenv("BLOOM_LFS_POLICY_LOOKUPS");
    lookups_ = text != nullptr ? std::stoull(text) : 80000;
  }
  static std::vector<double> Distribution(double skew) {
    std::vector<double> sums;
    double sum = 0;
    for (uint64_t n = 1; n <= kPages; ++n) {
      sum += std::pow(static_cast<double>(n), -skew);
      sums.push_back(sum);
    }
    return sums;
  }
  void InsertPage(uint64_t number) {
    const std::string page(4000, 'p');
    while (!store_->Insert(test::KeyOf(number), {page.data(), page.size()}, 0, 0)) {
      ASSERT_FALSE(store_->off());
      store_->AwaitIdle();
    }
  }
  // Of the second half of the load: the first fills the tier.
  Outcome Run(PagePolicy policy, const Load& load) {
    options_.policy = policy;
    options_.path = directory_ / (policy == PagePolicy::kLru ? "lru" : "s3_fifo");
    OpenAndRecover();
    const std::vector<double> sums = Distribution(load.skew);
    std::mt19937_64 random(7);
    std::uniform_real_distribution<double> any(0, sums.back());
    MemoryCache memory(kPagesInMemory);
    uint64_t next_scanned = 10 * kPages;
    uint64_t asked = 0;
    uint64_t hits = 0;
    uint64_t written_before = 0;
    for (uint64_t i = 0; i < lookups_; ++i) {
      if (i == lookups_ / 2) {
        written_before = store_->figures().written_bytes;
        asked = hits = 0;
      }
      const bool scan = random() % 100 < load.scans_pct;
      const auto drawn = std::lower_bound(sums.begin(), sums.end(), any(random)) - sums.begin();
      const uint64_t page = scan ? next_scanned++ : static_cast<uint64_t>(drawn);
      if (memory.Has(page)) {
        continue;
      }
      const bool hit = store_->Lookup(test::KeyOf(page), &copy_);
      asked += scan ? 0 : 1;
      hits += hit && !scan ? 1 : 0;
      uint64_t evicted = 0;
      if (memory.Put(page, hit && !copy_.goes_soon, &evicted)) {
        InsertPage(evicted);
      }
    }
    const Outcome outcome = {static_cast<double>(hits) / static_cast<double>(asked),
                             store_->figures().written_bytes - written_before};
    std::printf("skew %.2f, %llu %% scans, %s: %.3f hits, %llu MB written\n", load.skew,
                static_cast<unsigned long long>(load.scans_pct),
                policy == PagePolicy::kLru ? "lru" : "s3_fifo", outcome.hit_ratio,
                static_cast<unsigned long long>(outcome.written_bytes >> 20));
    return outcome;
  }

  static constexpr uint64_t kPages = 28000;  // twice what the tier holds
  static constexpr size_t kPagesInMemory = 1500;
  uint64_t lookups_ = 0;
};

class PagePolicyLoadTest : public PagePolicyTest, public testing::WithParamInterface<Load> {};

TEST_P(PagePolicyLoadTest, TheDefaultFindsNoFewerPagesAndWritesLess) {
  const Outcome standard = Run(PageStoreOptions().policy, GetParam());
  const Outcome lru = Run(PagePolicy::kLru, GetParam());
  EXPECT_GT(standard.hit_ratio, lru.hit_ratio - 0.03);
  EXPECT_LT(standard.written_bytes, lru.written_bytes * 7 / 10);
}

INSTANTIATE_TEST_SUITE_P(Loads, PagePolicyLoadTest,
                         testing::Values(Load{0.7, 0}, Load{0.7, 20}, Load{0.99, 20}));

}  // namespace
}  // namespace lss
