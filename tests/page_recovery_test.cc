// What a restart finds: checkpoints, whole and half, and the log behind them.
#include "lss/pages/page_recovery.h"

#include <gtest/gtest.h>

#include "lss/base/page_buffer.h"
#include "tests/support/page_parts_fixture.h"

namespace lss {
namespace {

class PageRecoveryTest : public test::PagePartsFixture {
 protected:
  // Closes, opens again and recovers into an empty table.
  void Restart() {
    CloseParts();
    OpenFile();
    recovery_ =
        std::make_unique<PageRecovery>(space_->file.get(), space_->table.get(), &counters_, &stop_);
    ASSERT_TRUE(recovery_->LoadCheckpoint().ok());
    ASSERT_TRUE(recovery_->ScanLog(&origin_).ok());
  }
  std::unique_ptr<Checkpointer> MakeCheckpointer() {
    return std::make_unique<Checkpointer>(
        space_->file.get(), space_->table.get(), &counters_,
        recovery_ == nullptr ? CheckpointHead() : recovery_->checkpoint(),
        recovery_ == nullptr ? 0 : recovery_->free_slot());
  }
  void Checkpoint(Checkpointer* checkpointer) {
    checkpointer->Begin(writer_->known_below(), log_->head());
    while (checkpointer->running()) {
      ASSERT_TRUE(checkpointer->Step().ok());
    }
  }
  void PutAndWrite(uint64_t from, uint64_t to) {
    for (uint64_t number = from; number < to; ++number) {
      Put(number);
    }
    WriteOut();
  }
  void Zero(uint64_t lsn, uint64_t bytes) {
    PageBuffer zeros(bytes);
    memset(zeros.data(), 0, bytes);
    const LogArea& log = space_->file->layout().log;
    ASSERT_TRUE(
        space_->file->device()
            ->Write({{zeros.data(), bytes}}, log.begin + log.PlaceOf(lsn), WriteKind::kPlain)
            .ok());
  }

  std::unique_ptr<PageRecovery> recovery_;
  uint64_t origin_ = 0;
};

TEST_F(PageRecoveryTest, AnEmptyStoreBeginsAtZero) {
  OpenFile();
  ASSERT_TRUE(MakeCheckpointer()->WriteEmpty().ok());
  Restart();
  EXPECT_EQ(recovery_->checkpoint().sequence, 1U);
  EXPECT_EQ(origin_, 0U);
  EXPECT_EQ(counters_.recovered_words.value(), 0U);
}

TEST_F(PageRecoveryTest, TheLogBehindTheCheckpointIsScanned) {
  OpenFile();
  OpenLog(0);
  const auto checkpointer = MakeCheckpointer();
  PutAndWrite(0, 1000);
  Checkpoint(checkpointer.get());
  PutAndWrite(1000, 2000);
  const uint64_t end = log_->head();
  Restart();
  EXPECT_GE(CountOnFlash(0, 2000), 1998U);
  EXPECT_GE(counters_.recovered_words.value(), 999U);
  EXPECT_EQ(counters_.recovered_pages.value(), 1000U);
  EXPECT_EQ(origin_, end + PageLog::kRingBytes);
}

// Bytes read, and in all, so that others see how far it is.
TEST_F(PageRecoveryTest, ItSaysHowMuchItReadsInAll) {
  OpenFile();
  OpenLog(0);
  const auto checkpointer = MakeCheckpointer();
  PutAndWrite(0, 1000);
  Checkpoint(checkpointer.get());
  for (uint64_t from = 1000; from < 5000; from += 1000) {  // 15 MiB
    PutAndWrite(from, from + 1000);
  }
  CloseParts();
  OpenFile();
  PageRecovery recovery(space_->file.get(), space_->table.get(), &counters_, &stop_);
  ASSERT_TRUE(recovery.LoadCheckpoint().ok());
  const uint64_t read = counters_.recovery_read_bytes.value();
  const uint64_t expected = counters_.recovery_bytes.value();
  EXPECT_GT(read, 0U);
  EXPECT_GE(expected, read + 14 * kLayoutUnit) << "at least so much of the log is read";
  ASSERT_TRUE(recovery.ScanLog(&origin_).ok());
  EXPECT_GT(counters_.recovery_bytes.value(), expected) << "it found more";
  EXPECT_EQ(counters_.recovery_bytes.value(), counters_.recovery_read_bytes.value());
}

TEST_F(PageRecoveryTest, WithoutACheckpointItReadsTheLog) {
  OpenFile();
  OpenLog(0);
  PutAndWrite(0, 1000);
  CloseParts();
  OpenFile();
  PageRecovery recovery(space_->file.get(), space_->table.get(), &counters_, &stop_);
  ASSERT_TRUE(recovery.LoadCheckpoint().ok());
  EXPECT_EQ(counters_.recovery_bytes.value(), layout().log.bytes);
  ASSERT_TRUE(recovery.ScanLog(&origin_).ok());
  EXPECT_EQ(counters_.recovery_read_bytes.value(), layout().log.bytes);
}

TEST_F(PageRecoveryTest, AnUnfinishedCheckpointLeavesTheOlderOne) {
  OpenFile();
  OpenLog(0);
  const auto checkpointer = MakeCheckpointer();
  PutAndWrite(0, 500);
  Checkpoint(checkpointer.get());
  PutAndWrite(500, 1000);
  Checkpoint(checkpointer.get());
  PutAndWrite(1000, 1500);
  checkpointer->Begin(writer_->known_below(), log_->head());
  ASSERT_TRUE(checkpointer->Step().ok());  // its blocks, but not its head
  Restart();
  EXPECT_EQ(recovery_->checkpoint().sequence, 2U);
  EXPECT_GE(CountOnFlash(0, 1500), 1498U);
}

TEST_F(PageRecoveryTest, PagesOnTheirWayDuringACheckpointAreFoundByTheScan) {
  OpenFile();
  OpenLog(0);
  const auto checkpointer = MakeCheckpointer();
  PutAndWrite(0, 500);
  for (uint64_t number = 500; number < 600; ++number) {
    Put(number);
  }
  ASSERT_TRUE(writer_->Step(1, true).ok());  // in a buffer, not in the file
  Checkpoint(checkpointer.get());
  WriteOut();
  Restart();
  EXPECT_GE(CountOnFlash(0, 600), 599U);
}

TEST_F(PageRecoveryTest, HolesOfARingAreScannedOver) {
  OpenFile();
  OpenLog(0);
  const auto checkpointer = MakeCheckpointer();
  ASSERT_TRUE(checkpointer->WriteEmpty().ok());
  PutAndWrite(0, 1000);
  const uint64_t hole = log_->head();
  PutAndWrite(1000, 1900);
  Zero(hole, kLayoutUnit);
  Restart();
  EXPECT_GE(CountOnFlash(0, 1000), 999U);
  EXPECT_GT(CountOnFlash(1000, 1900), 600U) << "behind the hole";
  EXPECT_LT(CountOnFlash(1000, 1900), 700U);
}

TEST_F(PageRecoveryTest, ARestartNeverMeetsRecordsOfTheOneBefore) {
  OpenFile();
  OpenLog(0);
  ASSERT_TRUE(MakeCheckpointer()->WriteEmpty().ok());
  PutAndWrite(0, 300);
  for (uint64_t round = 1; round < 5; ++round) {
    const uint64_t before = log_->head();
    Restart();
    EXPECT_GE(origin_, before + PageLog::kRingBytes);
    EXPECT_EQ(origin_ % kLayoutUnit, 0U);
    EXPECT_GE(CountOnFlash(0, round * 300), round * 300 - 1);
    OpenLog(origin_);
    PutAndWrite(round * 300, (round + 1) * 300);
  }
}

TEST_F(PageRecoveryTest, AStopEndsTheScan) {
  OpenFile();
  OpenLog(0);
  ASSERT_TRUE(MakeCheckpointer()->WriteEmpty().ok());
  PutAndWrite(0, 2000);
  stop_.store(true);
  Restart();
  EXPECT_EQ(counters_.recovered_pages.value(), 0U);
}

}  // namespace
}  // namespace lss
