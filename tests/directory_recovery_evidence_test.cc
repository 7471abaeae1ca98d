// Recovery of a directory when the page cache is gone: what the records of the logs prove, and how
// far.

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "lss/base/posix_file.h"
#include "tests/support/dead_log.h"
#include "tests/support/directory_recovery_fixture.h"
#include "tests/support/files.h"
#include "tests/support/temp_dir.h"
#include "tests/support/wal_builder.h"

namespace bloom_lfs {
namespace {

using lss::RingCase;
using lss::test::DeadLog;
using lss::test::Exists;
using lss::test::ReadLog;
using lss::test::Stream;
using test::DirectoryRecoveryTest;
using test::Payload;
using test::ReadFile;
using test::TempDir;
using test::WalBuilder;
using test::WriteFile;

// --- the page cache is gone: what the records say ---

// Logs of a killed process, the machine restarted in good order: three records each, one in the
// file.
class ProvenTest : public DirectoryRecoveryTest {
 protected:
  DeadLog Numbered(uint64_t first) {
    wal_ = WalBuilder();
    wal_.AddBatch(first, 1, Payload(500, 1))
        .AddBatch(first + 1, 2, Payload(300, 2))
        .AddBatch(first + 3, 1, Payload(900, 3));
    DeadLog log;
    log.stream = wal_.bytes();
    log.hi_stable = wal_.ends()[0];
    return log;
  }
  void ExpectBytes(uint64_t number, const std::string& bytes) {
    EXPECT_TRUE(ReadFile(Log(number)) == bytes) << number << ": " << ReadFile(Log(number)).size();
  }
  WalBuilder wal_;
};

TEST_F(ProvenTest, RecordsThatFollowAreReplayedAfterARestart) {
  const DeadLog log = Numbered(7);
  const std::string ring = log.MakeAt(Log(10));
  lss::test::RestartMachine(ring);
  const lss::test::Reading reading = ReadLog(Log(10), ring, PluginRecoveryContext());
  EXPECT_EQ(reading.ring_case, RingCase::kR14Proven);
  EXPECT_TRUE(reading.bytes == log.stream);
  ASSERT_TRUE(Recover().ok());
  ExpectBytes(10, log.stream);
  EXPECT_FALSE(Exists(rings_));
}

TEST_F(ProvenTest, ACopyIsReplayedByItsName) {
  const DeadLog log = Numbered(7);
  log.MakeAt(Log(10));
  const TempDir copy;
  test::CopyTree(dir_.path(), copy.path());
  ASSERT_TRUE(RecoverDirectory(copy.path()).ok());
  EXPECT_TRUE(ReadFile(copy / "000010.log") == log.stream);
  ExpectBytes(10, log.File());
}

// A buffer that was written back in an earlier lap has whole records with their checksums.
TEST_F(ProvenTest, RecordsOfAnotherLapAreNotTaken) {
  for (const int64_t shift : {-6, -2, 1, 100}) {
    const DeadLog log = Numbered(7);
    WalBuilder stale;
    stale.AddBatch(7, 1, Payload(500, 1))
        .AddBatch(static_cast<uint64_t>(8 + shift), 2, Payload(300, 2))
        .AddBatch(static_cast<uint64_t>(10 + shift), 1, Payload(900, 3));
    DeadLog torn = log;
    torn.stream = stale.bytes();
    const std::string ring = torn.MakeAt(Log(10));
    lss::test::RestartMachine(ring);
    // The words are older than the buffers.
    lss::test::EditRing(ring, [&](lss::RingHeader* header) {
      header->committed.store(wal_.ends()[0] + 10, std::memory_order_relaxed);
    });
    ASSERT_TRUE(Recover().ok());
    ExpectBytes(10, log.File());
  }
}

TEST_F(ProvenTest, ABatchThatIsCutOffIsLeftOut) {
  DeadLog log = Numbered(7);
  log.committed = wal_.ends()[1] + 100;
  log.stream.resize(wal_.ends()[1] + 100);
  const std::string ring = log.MakeAt(Log(10));
  lss::test::RestartMachine(ring);
  ASSERT_TRUE(Recover().ok());
  ExpectBytes(10, wal_.bytes().substr(0, wal_.ends()[1]));
}

TEST_F(ProvenTest, WordsThatAreOlderThanTheFileCutNothing) {
  DeadLog log = Numbered(7);
  log.behind = log.stream.substr(log.hi_stable);
  log.committed = log.hi_stable;
  for (const bool restarted : {false, true}) {
    const std::string ring = log.MakeAt(Log(10));
    if (restarted) {
      lss::test::RestartMachine(ring);
    }
    ASSERT_TRUE(Recover().ok());
    ExpectBytes(10, log.stream);
  }
}

TEST_F(ProvenTest, NumbersMayBeLeftOutByAWholeStream) {
  wal_ = WalBuilder();
  wal_.AddBatch(7, 1, "one")
      .AddBatch(90, 1, "behind writes without a log")
      .AddBatch(91, 1, "three");
  DeadLog log;
  log.stream = wal_.bytes();
  log.hi_stable = wal_.ends()[0];
  const std::string ring = log.MakeAt(Log(10));
  lss::test::RestartMachine(ring);
  ASSERT_TRUE(Recover().ok());
  ExpectBytes(10, log.stream);
}

TEST_F(ProvenTest, BehindALogWithAGapNoLaterRingCounts) {
  DeadLog first = Numbered(1);
  first.stream[wal_.ends()[1] + 20] ^= 1;  // its third record is damaged
  const std::string expected = wal_.bytes().substr(0, wal_.ends()[1]);
  lss::test::RestartMachine(first.MakeAt(Log(10)));
  const DeadLog second = Numbered(5);
  const std::string ring = second.MakeAt(Log(11));
  lss::test::RestartMachine(ring);
  EXPECT_TRUE(ReadLog(Log(11), ring, PluginRecoveryContext()).bytes == second.File());
  ASSERT_TRUE(Recover().ok());
  ExpectBytes(10, expected);
  ExpectBytes(11, second.File());
  EXPECT_FALSE(Exists(rings_));
}

// Somebody has written into it who does not know rings, under the same boot.
TEST_F(ProvenTest, BehindALogWhoseRingContradictsItNoLaterRingCounts) {
  const std::string first_ring = Numbered(1).MakeAt(Log(10));
  const std::string other = WalBuilder().AddBatch(1, 1, Payload(500, 7)).bytes();
  WriteFile(Log(10), other);
  const DeadLog second = Numbered(5);
  const std::string ring = second.MakeAt(Log(11));
  const RingCase found = ReadLog(Log(10), first_ring, PluginRecoveryContext()).ring_case;
  EXPECT_EQ(found, RingCase::kR10NotUsed);
  EXPECT_TRUE(ReadLog(Log(11), ring, PluginRecoveryContext()).bytes == second.File());
  ASSERT_TRUE(Recover().ok());
  ExpectBytes(10, other);
  ExpectBytes(11, second.File());
}

// The same, and nobody can read them: what comes later is not written, and not thrown away.
TEST_F(DirectoryRecoveryTest, BehindALogWhoseRingContradictsItAnUnreadableRingIsSetAside) {
  Unwritten(1).MakeAt(Log(10));
  WriteFile(Log(10), Stream(3000, 9));
  const DeadLog second = Unwritten(2);
  const std::string ring = second.MakeAt(Log(11));
  EXPECT_TRUE(ReadLog(Log(11), ring, PluginRecoveryContext()).bytes == second.File());
  ASSERT_TRUE(Recover().ok());
  EXPECT_TRUE(ReadFile(Log(11)) == second.File());
  EXPECT_TRUE(Exists(ring + lss::kAsideSuffix));
}

// What it lacks was given up by somebody who has gone on: the plugin came later, and was killed.
TEST_F(ProvenTest, ALogThatSomebodyElseHasEndedIsNoGap) {
  const std::string first_ring = Numbered(1).MakeAt(Log(10));
  WriteFile(Log(11), WalBuilder().AddBatch(2, 1, "by stock").bytes());
  const DeadLog third = Numbered(3);
  third.MakeAt(Log(12));
  EXPECT_EQ(ReadLog(Log(10), first_ring, PluginRecoveryContext()).ring_case, RingCase::kR10NotUsed);
  ASSERT_TRUE(Recover().ok());
  ExpectBytes(12, third.stream);
}

// A device that went away and came back: the boot is the same, and pages never arrived.
class LostPageTest : public ProvenTest {
 protected:
  // Six pages of records, the ring holds the last four; the third page is not on the device.
  void MakeLog(lss::RingState state) {
    for (uint32_t i = 1; i <= 24; ++i) {
      wal_.AddBatch(i, 1, Payload(980, i));
    }
    DeadLog log;
    log.stream = wal_.bytes();
    log.hi_stable = log.stream.size();
    log.durable = wal_.ends()[3];
    log.state = state;
    ring_ = log.MakeAt(Log(10));
    // All in the buffers is of a later lap.
    lss::test::EditRing(ring_, [](lss::RingHeader* header) {
      for (uint32_t i = 0; i < 4; ++i) {
        header->base[i].store((6 + i) * 4096, std::memory_order_relaxed);
      }
    });
  }
  void Change(size_t from, size_t to, char mask) {
    std::string bytes = ReadFile(Log(10));
    for (size_t at = from; at < to; ++at) {
      bytes[at] = mask == 0 ? '\0' : static_cast<char>(bytes[at] ^ mask);
    }
    WriteFile(Log(10), bytes);
  }
  std::string ring_;
};

TEST_F(LostPageTest, NothingBehindTheHoleCounts) {
  for (const lss::RingState state : {lss::RingState::kLive, lss::RingState::kClosed}) {
    SCOPED_TRACE(static_cast<uint32_t>(state));
    wal_ = WalBuilder();
    MakeLog(state);
    Change(8192, 12288, 0);
    const std::string expected = wal_.bytes().substr(0, wal_.ends()[7]);
    EXPECT_TRUE(ReadLog(Log(10), ring_, PluginRecoveryContext()).bytes == expected);
    ASSERT_TRUE(Recover().ok());
    ExpectBytes(10, expected);
  }
}

// That is damage, whatever it comes from: RocksDB reports it, or passes over it, as on stock.
TEST_F(LostPageTest, AByteThatChangedAndZerosThatWereSyncedAreLeftToRocksDb) {
  const struct {
    size_t from;
    size_t to;
    char mask;
  } changes[] = {{9000, 9001, 0x40}, {2100, 2101, 0x40}, {1500, 1600, 0}};
  for (const auto& change : changes) {
    SCOPED_TRACE(change.from);
    wal_ = WalBuilder();
    MakeLog(lss::RingState::kLive);
    Change(change.from, change.to, change.mask);
    const std::string damaged = ReadFile(Log(10));
    EXPECT_TRUE(ReadLog(Log(10), ring_, PluginRecoveryContext()).bytes == damaged);
    ASSERT_TRUE(Recover().ok());
    ExpectBytes(10, damaged);
  }
}

// --- the machine went down ---

TEST_F(DirectoryRecoveryTest, AfterARestartALogWhoseFirstRecordIsTornIsEmpty) {
  for (const size_t size : {6000U, 90000U}) {
    for (const size_t arrived : {4096U, 5000U}) {
      WalBuilder wal;
      wal.AddBatch(1, 1, Payload(size));
      DeadLog log;
      log.stream = wal.bytes().substr(0, arrived);
      log.hi_stable = arrived;
      log.behind = std::string(200000, '\0');
      const std::string ring = log.MakeAt(Log(10));
      lss::test::RestartMachine(ring);
      EXPECT_EQ(ReadLog(Log(10), ring, PluginRecoveryContext()).bytes, "");
      ASSERT_TRUE(Recover().ok());
      EXPECT_EQ(ReadFile(Log(10)), "");
    }
  }
}

// Killed, then moved to another machine in good order: stock's log would be whole.
TEST_F(DirectoryRecoveryTest, AfterARestartAFirstRecordThatIsPartlyInTheFileIsMadeWhole) {
  for (const size_t in_file : {4096U, 30000U, 36864U}) {
    WalBuilder wal;
    wal.AddBatch(1, 1, Payload(40000));
    DeadLog log;
    log.buffer_count = 16;
    log.stream = wal.bytes();
    log.hi_stable = in_file;
    lss::test::RestartMachine(log.MakeAt(Log(10)));
    ASSERT_TRUE(Recover().ok());
    EXPECT_TRUE(ReadFile(Log(10)) == wal.bytes()) << ReadFile(Log(10)).size();
  }
}

// The ring's header reached the device behind a buffer's last lap, its buffer before: a piece of a
// record of that lap has a whole checksum, and the number is in the first piece.
TEST_F(DirectoryRecoveryTest, AfterARestartPiecesOfAnEarlierLapAreNotTaken) {
  constexpr uint32_t kBuffers = 48;  // six blocks
  constexpr size_t kLap = kBuffers * 4096;
  for (const bool alike : {false, true}) {
    WalBuilder wal;
    for (uint32_t i = 1; i <= 3; ++i) {
      wal.AddBatch(i, 1, alike ? std::string(130000, 'x') : Payload(130000, i));
    }
    DeadLog log;
    log.buffer_count = kBuffers;
    log.stream = wal.bytes();
    log.hi_stable = wal.ends()[1];
    const std::string ring = log.MakeAt(Log(10));
    lss::test::RestartMachine(ring);
    // The block behind the one where the third record begins.
    const size_t block = (wal.ends()[1] / 32768 + 1) * 32768;
    std::string bytes = ReadFile(ring);
    bytes.replace(4096 + block % kLap, 32768, wal.bytes().substr(block - kLap, 32768));
    WriteFile(ring, bytes);
    ASSERT_TRUE(Recover().ok());
    EXPECT_TRUE(ReadFile(Log(10)) == wal.bytes().substr(0, wal.ends()[alike ? 2 : 1]))
        << ReadFile(Log(10)).size();
  }
}

TEST_F(DirectoryRecoveryTest, AfterARestartALogEndsWithItsLastWholeRecord) {
  WalBuilder wal;
  for (uint32_t i = 0; i < 20; ++i) {
    wal.Add(Payload(i * 500, i));
  }
  DeadLog log;
  log.stream = wal.bytes().substr(0, wal.size() - 5);
  log.hi_stable = log.stream.size();
  log.behind = std::string(100000, '\0');
  lss::test::RestartMachine(log.MakeAt(Log(10)));
  ASSERT_TRUE(Recover().ok());
  EXPECT_TRUE(ReadFile(Log(10)) == wal.bytes().substr(0, wal.ends()[18]));
  EXPECT_FALSE(Exists(rings_));
}

TEST_F(DirectoryRecoveryTest, AfterARestartARecordOfALaterRocksDbIsNotCut) {
  WalBuilder wal;
  wal.Add("known").AddPhysical(77, "of a type from the future", false);
  DeadLog log;
  log.stream = wal.bytes();
  log.hi_stable = log.stream.size();
  lss::test::RestartMachine(log.MakeAt(Log(10)));
  ASSERT_TRUE(Recover().ok());
  EXPECT_TRUE(ReadFile(Log(10)) == wal.bytes());
}

TEST_F(DirectoryRecoveryTest, AfterARestartARecycledLogEndsWhereTheOldRecordsBegin) {
  WalBuilder fresh(10);
  fresh.Add(Payload(1000)).Add(Payload(2000));
  WalBuilder old_life(9);
  old_life.Add(Payload(500)).Add(Payload(500));
  DeadLog log;
  log.stream = fresh.bytes() + old_life.bytes();
  log.hi_stable = log.stream.size();
  lss::test::RestartMachine(log.MakeAt(Log(10)));
  ASSERT_TRUE(Recover().ok());
  EXPECT_TRUE(ReadFile(Log(10)) == fresh.bytes());
}

}  // namespace
}  // namespace bloom_lfs
