// Case R5 of recovery: the machine went down, and the ring speaks for its log only as far as
// records prove. lss/CRASHES.md has the table.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "lss/ring/ring_memory.h"
#include "tests/support/dead_log.h"
#include "tests/support/files.h"
#include "tests/support/recovery_fixture.h"

namespace lss {
namespace {

using bloom_lfs::test::Difference;
using bloom_lfs::test::ListTree;
using bloom_lfs::test::ReadFile;
using bloom_lfs::test::Tree;
using bloom_lfs::test::WriteFile;
using test::DeadLog;
using test::EditRing;
using test::RecoveryTest;
using test::RestartMachine;
using test::Stream;

// --- R5 ---

TEST_F(RecoveryTest, R5TornTailIsTrimmedToLastWholeRecord) {
  DeadLog log;
  log.stream = "one\ntwo\nthr";
  log.hi_stable = log.stream.size();
  log.durable = 8;
  log.behind = std::string(5000, '\0');
  RestartMachine(Make(log));
  EXPECT_EQ(Look().ring_case, RingCase::kR5MachineDown);
  EXPECT_EQ(Look().bytes, "one\ntwo\n");
  EXPECT_EQ(Case(), RingCase::kR5MachineDown);
  EXPECT_EQ(ReadFile(log_), "one\ntwo\n");
  EXPECT_EQ(recovered_[0].bytes_trimmed, 5003U);
  ExpectRingGone();
}

// The ring's pages of a machine that went down are whatever the kernel had written.
TEST_F(RecoveryTest, R5TakesNothingFromARingWhoseRecordsDoNotFollow) {
  DeadLog log;
  log.stream = "5 one\n9 two\nthree\n";
  log.hi_stable = 6;
  log.durable = 6;
  RestartMachine(Make(log));
  EditRing(ring_, [](RingHeader* header) {
    header->committed.store(7, std::memory_order_relaxed);  // older than the bytes
  });
  EXPECT_EQ(Look().bytes, "5 one\n");
  EXPECT_EQ(Case(), RingCase::kR5MachineDown);
  EXPECT_EQ(ReadFile(log_), "5 one\n");
  EXPECT_EQ(recovered_[0].bytes_replayed, 0U);
}

TEST_F(RecoveryTest, R5WatermarksNeedNotFit) {
  DeadLog log;
  log.stream = "one\ntwo\n";
  log.hi_stable = 8;
  RestartMachine(Make(log));
  EditRing(ring_, [](RingHeader* header) {
    header->committed.store(1, std::memory_order_relaxed);  // pages of the header's mapping reached
                                                            // the disk at odd moments
    header->hi_stable.store(1ULL << 60, std::memory_order_relaxed);
  });
  EXPECT_EQ(Look().bytes, "one\ntwo\n");
  EXPECT_EQ(Case(), RingCase::kR5MachineDown);
  EXPECT_EQ(ReadFile(log_), "one\ntwo\n");
}

TEST_F(RecoveryTest, R5ClosedStateIsNotBelievedAfterARestart) {
  DeadLog log;
  log.stream = "one\ntw";
  log.hi_stable = 6;
  log.state = RingState::kClosed;
  log.behind = std::string(100, '\0');
  RestartMachine(Make(log));
  EXPECT_EQ(Case(), RingCase::kR5MachineDown);
  EXPECT_EQ(ReadFile(log_), "one\n");
}

TEST_F(RecoveryTest, R5DamageBelowTheDurableLengthIsLeftForRocksDbToReport) {
  DeadLog log;
  log.stream = "a line that is long enough to look like text\n??\001????????";
  log.hi_stable = log.stream.size();
  log.durable = 52;
  RestartMachine(Make(log));
  EXPECT_EQ(Look().bytes, log.File()) << "the damage must show";
  EXPECT_EQ(Case(), RingCase::kR5MachineDown);
  EXPECT_EQ(ReadFile(log_), log.File());
  ASSERT_EQ(warnings_.size(), 1U);
  EXPECT_NE(warnings_[0].find(log_), std::string::npos) << warnings_[0];
  EXPECT_NE(warnings_[0].find("52"), std::string::npos) << warnings_[0];
}

// Its end was never accepted, or is gone with the power: the record was not promised.
TEST_F(RecoveryTest, R5ARecordThatWasSyncedInPartIsCutOff) {
  for (const size_t zeros : {0U, 100U, 9000U}) {
    warnings_.clear();
    DeadLog log;
    log.stream = "one\ntwo and mo";
    log.hi_stable = log.stream.size();
    log.durable = 9;
    log.behind = std::string(zeros, '\0');
    RestartMachine(Make(log));
    EXPECT_EQ(Look().bytes, "one\n");
    EXPECT_EQ(Case(), RingCase::kR5MachineDown);
    EXPECT_EQ(ReadFile(log_), "one\n");
  }
}

TEST_F(RecoveryTest, WhatIsSetAsideIsNeverPutOverWhatWasSetAsideBefore) {
  std::vector<std::string> set_aside;
  for (int round = 0; round < 3; ++round) {
    DeadLog log;
    log.stream = Stream(6000, static_cast<uint32_t>(round));
    WriteFile(log_, "");  // keeps its inode
    Make(log);
    EditRing(ring_, [](RingHeader* header) { header->fixed.magic[0] = 'x'; });
    set_aside.push_back(ReadFile(ring_));
    EXPECT_EQ(Case(), RingCase::kR6Damaged);
    ASSERT_EQ(warnings_.size(), static_cast<size_t>(round) + 1);
  }
  const char* names[] = {"", ".2", ".3"};
  for (size_t i = 0; i < 3; ++i) {
    const std::string aside = ring_ + names[i] + kAsideSuffix;
    EXPECT_TRUE(ReadFile(aside) == set_aside[i]) << aside;
    EXPECT_NE(warnings_[i].find(aside), std::string::npos) << warnings_[i];
  }
}

TEST_F(RecoveryTest, R5UnreadableFileKeepsRingAndFile) {
  DeadLog log;
  log.stream = "one\ntw";
  log.hi_stable = 6;
  RestartMachine(Make(log));
  context_.scan = [](const StreamReader&, const std::string& name, Address, const ScanRule&,
                     ScannedTail*) { return Status::FromErrno("read", name, 0, EIO); };
  EXPECT_EQ(Look().status.code(), Status::Code::kIoError);
  const Tree before = ListTree(dir_.path());
  const Status status = Run();
  EXPECT_EQ(status.code(), Status::Code::kIoError);
  EXPECT_NE(status.message().find(log_), std::string::npos);
  EXPECT_EQ(Difference(before, ListTree(dir_.path())), "");
}

TEST_F(RecoveryTest, R5WithoutAScannerKeepsTheWholeFile) {
  DeadLog log;
  log.stream = "one\ntw";
  log.hi_stable = 6;
  log.behind = std::string(10, '\0');
  RestartMachine(Make(log));
  context_.scan = nullptr;
  EXPECT_EQ(Look().bytes, log.File());
  EXPECT_EQ(Case(), RingCase::kR5MachineDown);
  EXPECT_EQ(ReadFile(log_), log.File());
}

}  // namespace
}  // namespace lss
