// Leaving memory, making room, telling the table.
#include "lss/pages/page_writer.h"

#include <gtest/gtest.h>

#include "tests/support/page_parts_fixture.h"

namespace lss {
namespace {

class PageWriterTest : public test::PagePartsFixture {
 protected:
  void PutAndWrite(uint64_t from, uint64_t to) {
    for (uint64_t number = from; number < to; number += 500) {
      for (uint64_t i = number; i < std::min(number + 500, to); ++i) {
        Put(i);
      }
      WriteOut();
    }
  }
  void Heat(uint64_t number) {
    for (const auto& found : space_->table->Find(HashOf(test::KeyOf(number)))) {
      space_->table->NoteHit(found.index, found.word);
    }
  }
};

TEST_F(PageWriterTest, APageStaysInMemoryUntilItIsInTheFile) {
  OpenFile();
  OpenLog(0);
  Put(1);
  ASSERT_TRUE(writer_->Step(1, false).ok());
  EXPECT_TRUE(WordOf(1).in_memory()) << "its buffer is not full";
  EXPECT_EQ(writer_->known_below(), 0U);
  EXPECT_FALSE(writer_->NoteArrivals());
  WriteOut();
  EXPECT_TRUE(WordOf(1).on_flash());
  EXPECT_EQ(space_->frames.used_bytes(), 0U);
  EXPECT_EQ(writer_->known_below(), log_->head());
}

TEST_F(PageWriterTest, HitsInMemoryGoWithThePage) {
  OpenFile();
  OpenLog(0);
  Put(1);
  Heat(1);
  ASSERT_TRUE(writer_->Step(1, false).ok());
  Heat(1);  // while it is on its way
  WriteOut();
  EXPECT_EQ(WordOf(1).hits(), 2);
}

TEST_F(PageWriterTest, AnErasedPageIsNotWrittenAndOneOnItsWayStaysErased) {
  OpenFile();
  OpenLog(0);
  const auto erase = [&](uint64_t number) {
    for (const auto& found : space_->table->Find(HashOf(test::KeyOf(number)))) {
      space_->table->Replace(found.index, found.word, PageWord());
    }
  };
  Put(1);
  erase(1);
  Put(2);
  ASSERT_TRUE(writer_->Step(1, false).ok());
  EXPECT_EQ(counters_.admitted_pages.value(), 1U);
  erase(2);
  WriteOut();
  EXPECT_TRUE(WordOf(1).empty());
  EXPECT_TRUE(WordOf(2).empty());
  EXPECT_EQ(space_->frames.used_bytes(), 0U);
}

TEST_F(PageWriterTest, CleaningDropsColdPagesAndKeepsHotOnes) {
  OpenFile();
  OpenLog(0);
  constexpr uint64_t kLap = 10000;
  PutAndWrite(0, kLap);
  for (uint64_t number = 0; number < 400; number += 4) {
    Heat(number);
    Heat(number);
  }
  ASSERT_EQ(CountOnFlash(0, 400), 400U);
  PutAndWrite(kLap, kLap + 6000);
  uint64_t hot = 0;
  uint64_t cold = 0;
  for (uint64_t number = 0; number < 400; ++number) {
    (number % 4 == 0 ? hot : cold) += WordOf(number).on_flash() ? 1 : 0;
  }
  EXPECT_GT(hot, 75U) << "a fifth of each MiB may be written again";
  EXPECT_LT(cold, 5U);
  EXPECT_GT(counters_.rewritten_pages.value(), 75U);
  EXPECT_GT(counters_.cleaned_pages.value(), 1000U);
}

TEST_F(PageWriterTest, RoomIsMadeBeforeItIsNeeded) {
  OpenFile();
  OpenLog(0);
  for (uint64_t number = 0; number < 30000; number += 500) {
    PutAndWrite(number, number + 500);
    ASSERT_GE(space_->room.end.load(), log_->head());
    ASSERT_LE(space_->room.end.load(), log_->head() + 4 * PageLog::kRingBytes);
  }
}

TEST_F(PageWriterTest, WhatTheRateForbidsIsDropped) {
  OpenFile();
  PageWriter::Options options;
  options.admit = Admit::kAll;
  options.write_rate = 100000;
  OpenLog(space_->file->layout().log.bytes, options);  // full
  for (uint64_t number = 0; number < 500; ++number) {
    Put(number);
  }
  ASSERT_TRUE(writer_->Step(1, false).ok());
  EXPECT_LE(counters_.admitted_bytes.value(), 100000U);
  EXPECT_GT(counters_.admitted_bytes.value(), 90000U);
  EXPECT_GT(counters_.dropped_by_rate.value(), 400U);
}

}  // namespace
}  // namespace lss
