// The mapping table: bounded, two buckets a key, nothing lost but what makes room.
#include "lss/pages/page_table.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "lss/pages/page_key.h"

namespace lss {
namespace {

uint64_t HashNumber(uint64_t number) { return HashOf({number, ~number}); }

std::unique_ptr<PageTable> MakeTable(uint64_t buckets) {
  std::unique_ptr<PageTable> table;
  EXPECT_TRUE(PageTable::Create(buckets, &table).ok());
  return table;
}

bool Has(const PageTable& table, uint64_t number, uint64_t place) {
  for (const PageTable::Found& found : table.Find(HashNumber(number))) {
    if (found.word.on_flash() && found.word.place() == place) {
      return true;
    }
  }
  return false;
}

TEST(PageTableTest, FindsWhatWasInserted) {
  const auto table = MakeTable(1000);
  for (uint64_t number = 0; number < 6000; ++number) {
    const uint64_t hash = HashNumber(number);
    const auto in = table->Insert(hash, PageWord::Flash(TagOf(hash), number * 64, 64, 0));
    ASSERT_TRUE(in.done);
    ASSERT_TRUE(table->Belongs(hash, in.index));
  }
  uint64_t found = 0;
  for (uint64_t number = 0; number < 6000; ++number) {
    found += Has(*table, number, number * 64) ? 1 : 0;
  }
  EXPECT_GT(found, 5995U) << "at 3/4 full, two buckets take nearly all";
  EXPECT_EQ(table->CountUsed(), found);
}

TEST(PageTableTest, FourteenBytesAPageAreEnough) {
  const uint64_t pages = 1'000'000;
  const uint64_t bytes = PageTable::BucketsFor(pages) * PageTable::kBucketWords * sizeof(uint64_t);
  EXPECT_LE(static_cast<double>(bytes) / static_cast<double>(pages), 10.8);
}

TEST(PageTableTest, TheColdestPageOnFlashMakesRoom) {
  const auto table = MakeTable(2);  // every key has both buckets
  for (uint64_t number = 0; number < 16; ++number) {
    const uint64_t hash = HashNumber(number);
    const uint8_t hits = number == 5 ? 0 : 2;
    EXPECT_TRUE(
        table->Insert(hash, PageWord::Flash(TagOf(hash), number * 64, 64, hits)).displaced.empty());
  }
  const auto in = table->Insert(HashNumber(99), PageWord::Memory(TagOf(HashNumber(99)), 1));
  EXPECT_TRUE(in.done);
  EXPECT_EQ(in.displaced.place(), 5U * 64);
  for (uint64_t number = 0; number < 16; ++number) {
    EXPECT_EQ(Has(*table, number, number * 64), number != 5);
    for (const auto& found : table->Find(HashNumber(number))) {
      EXPECT_TRUE(found.word.in_memory() || found.word.hits() == 1) << "the others have cooled";
    }
  }
}

TEST(PageTableTest, PagesInMemoryMakeNoRoom) {
  const auto table = MakeTable(2);
  for (uint32_t number = 0; number < 16; ++number) {
    ASSERT_TRUE(table->Insert(HashNumber(number), PageWord::Memory(1, number)).done);
  }
  EXPECT_FALSE(table->Insert(HashNumber(99), PageWord::Memory(1, 99)).done);
  EXPECT_EQ(table->CountUsed(), 16U);
}

TEST(PageTableTest, AStaleReplaceFails) {
  const auto table = MakeTable(2);
  const PageWord word = PageWord::Memory(3, 4);
  const uint64_t index = table->Insert(HashNumber(1), word).index;
  EXPECT_TRUE(table->Replace(index, word, word.Hit()));
  EXPECT_FALSE(table->Replace(index, word, PageWord()));
  table->NoteHit(index, word);
  EXPECT_EQ(table->Load(index), word.Hit());
  table->NoteHit(index, word.Hit());
  EXPECT_EQ(table->Load(index).hits(), 2);
}

TEST(PageTableTest, ThreadsNeverTakeTheSamePlace) {
  const auto table = MakeTable(4096);
  constexpr uint64_t kEach = 5500;
  std::vector<std::thread> threads;
  for (uint64_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (uint64_t i = 0; i < kEach; ++i) {
        const uint64_t number = t * kEach + i;
        const uint64_t hash = HashNumber(number);
        table->Insert(hash, PageWord::Flash(TagOf(hash), number * 64, 64, 1));
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  uint64_t found = 0;
  for (uint64_t number = 0; number < 4 * kEach; ++number) {
    found += Has(*table, number, number * 64) ? 1 : 0;
  }
  EXPECT_EQ(found, 4 * kEach);
  EXPECT_EQ(table->CountUsed(), found);
}

}  // namespace
}  // namespace lss
