// Recovery as RocksDB needs it: several logs of one database, where their records end, and when a
// ring must be silent because stock RocksDB has gone on without it.

#include "plugin/directory_recovery.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "lss/base/posix_file.h"
#include "tests/support/dead_log.h"
#include "tests/support/files.h"
#include "tests/support/temp_dir.h"
#include "tests/support/wal_builder.h"

namespace bloom_lfs {
namespace {

using lss::FileIdentity;
using lss::RingCase;
using lss::Status;
using lss::test::DeadLog;
using lss::test::Exists;
using lss::test::ReadLog;
using lss::test::Stream;
using test::Difference;
using test::ListTree;
using test::Payload;
using test::ReadFile;
using test::TempDir;
using test::Tree;
using test::WalBuilder;
using test::WriteFile;

class DirectoryRecoveryTest : public testing::Test {
 protected:
  std::string Log(uint64_t number) const {
    std::string name = std::to_string(number);
    return dir_ / std::string(6 - name.size(), '0') + name + ".log";
  }
  // A killed writer's log: half of its bytes are in the ring only.
  static DeadLog Unwritten(uint32_t seed) {
    DeadLog log;
    log.stream = Stream(6000, seed);
    log.hi_stable = 3000;
    return log;
  }
  Status Recover() { return RecoverDirectory(dir_.path()); }
  void ExpectRecovered(const std::string& path, const DeadLog& log) {
    EXPECT_TRUE(ReadFile(path) == log.Promised()) << path << " has " << ReadFile(path).size();
  }

  TempDir dir_;
  const std::string rings_ = dir_ / lss::kRingDirectoryName;
};

TEST_F(DirectoryRecoveryTest, CostsNothingWithoutRings) {
  WriteFile(Log(7), "bytes");
  const Tree before = ListTree(dir_.path());
  EXPECT_TRUE(Recover().ok());
  EXPECT_TRUE(RecoverDirectory(dir_ / "missing").ok());
  EXPECT_EQ(Difference(before, ListTree(dir_.path())), "");
}

TEST_F(DirectoryRecoveryTest, AllLogsOfAKilledProcessGetTheirBytes) {
  std::vector<DeadLog> logs;
  for (uint32_t i = 0; i < 6; ++i) {
    logs.push_back(Unwritten(i));
    logs.back().MakeAt(Log(10 + i));
  }
  ASSERT_TRUE(Recover().ok());
  for (uint32_t i = 0; i < 6; ++i) {
    ExpectRecovered(Log(10 + i), logs[i]);
  }
  EXPECT_FALSE(Exists(rings_));
}

// Inode numbers come back in any order, and rings are named by them.
TEST_F(DirectoryRecoveryTest, OlderLogsAreNotGivenUpBecauseANewerRingWentFirst) {
  // The newer log gets the lower inode number: whichever of the two was made first.
  for (int attempt = 0; attempt < 20; ++attempt) {
    WriteFile(dir_ / "a", "");
    WriteFile(dir_ / "b", "");
    FileIdentity a;
    FileIdentity b;
    uint64_t size = 0;
    ASSERT_TRUE(lss::IdentifyPath(dir_ / "a", &a, &size).ok());
    ASSERT_TRUE(lss::IdentifyPath(dir_ / "b", &b, &size).ok());
    // Free the lower number, then let the newer log be born with it.
    const std::string low = a.inode < b.inode ? dir_ / "a" : dir_ / "b";
    const std::string high = a.inode < b.inode ? dir_ / "b" : dir_ / "a";
    ASSERT_EQ(rename(high.c_str(), Log(10).c_str()), 0);
    const DeadLog older = Unwritten(1);
    older.MakeAt(Log(10));
    ASSERT_EQ(unlink(low.c_str()), 0);
    const DeadLog newer = Unwritten(2);
    newer.MakeAt(Log(11));
    FileIdentity old_identity;
    FileIdentity new_identity;
    ASSERT_TRUE(lss::IdentifyPath(Log(10), &old_identity, &size).ok());
    ASSERT_TRUE(lss::IdentifyPath(Log(11), &new_identity, &size).ok());
    const bool inverted = new_identity.inode < old_identity.inode;
    ASSERT_TRUE(Recover().ok());
    ExpectRecovered(Log(10), older);
    ExpectRecovered(Log(11), newer);
    ASSERT_EQ(unlink(Log(10).c_str()), 0);
    ASSERT_EQ(unlink(Log(11).c_str()), 0);
    if (inverted) {
      return;
    }
  }
  GTEST_SKIP() << "this file system does not reuse inode numbers";
}

TEST_F(DirectoryRecoveryTest, ArchivedAndTrashedLogsBelongToTheDirectoryToo) {
  ASSERT_EQ(mkdir((dir_ / "archive").c_str(), 0755), 0);
  const DeadLog archived = Unwritten(1);
  const DeadLog trashed = Unwritten(2);
  archived.MakeAt(Log(10));
  trashed.MakeAt(Log(11));
  const std::string archive = dir_ / "archive/000010.log";
  ASSERT_EQ(rename(Log(10).c_str(), archive.c_str()), 0);
  ASSERT_EQ(rename(Log(11).c_str(), (Log(11) + ".trash").c_str()), 0);
  ASSERT_TRUE(Recover().ok());
  ExpectRecovered(archive, archived);
  ExpectRecovered(Log(11) + ".trash", trashed);
  EXPECT_FALSE(Exists(rings_));
}

TEST_F(DirectoryRecoveryTest, AFileThatIsNoLogIsNotWrittenTo) {
  const DeadLog log = Unwritten(1);
  log.MakeAt(dir_ / "000010.sst");  // its inode number was a log's once
  ASSERT_TRUE(Recover().ok());
  EXPECT_TRUE(ReadFile(dir_ / "000010.sst") == log.File());
}

// --- stock RocksDB has been here since the kill ---

TEST_F(DirectoryRecoveryTest, AFileThatTheOwnerHasNotMadeSilencesItsRing) {
  for (const char* name : {"000011.log", "000012.blob", "000013.sst"}) {
    SCOPED_TRACE(name);
    DeadLog log = Unwritten(1);
    log.sibling_max = 10;
    const std::string ring = log.MakeAt(Log(10));
    WriteFile(dir_ / name, WalBuilder().Add("written by stock RocksDB").bytes());
    const lss::test::Reading reading = ReadLog(Log(10), ring, PluginRecoveryContext());
    EXPECT_EQ(reading.ring_case, RingCase::kR10NotUsed);
    EXPECT_TRUE(reading.bytes == log.File());
    ASSERT_TRUE(Recover().ok());
    EXPECT_TRUE(ReadFile(Log(10)) == log.File());
    EXPECT_TRUE(Exists(ring + lss::kAsideSuffix));
    ASSERT_EQ(unlink((dir_ / name).c_str()), 0);
  }
}

TEST_F(DirectoryRecoveryTest, AFileThatTheOwnerHasMadeProvesNothing) {
  for (const char* name : {"000009.log", "000011.log", "MANIFEST-000011", "000012.sst"}) {
    SCOPED_TRACE(name);
    DeadLog log = Unwritten(1);
    log.sibling_max = 12;
    log.MakeAt(Log(10));
    WriteFile(dir_ / name, WalBuilder().Add("closed cleanly").bytes());
    ASSERT_TRUE(Recover().ok());
    ExpectRecovered(Log(10), log);
    ASSERT_EQ(unlink((dir_ / name).c_str()), 0);
  }
}

// Made ahead of its use, or closed unused by somebody who has only looked.
TEST_F(DirectoryRecoveryTest, AnEmptyNewerLogProvesNothing) {
  DeadLog log = Unwritten(1);
  log.sibling_max = 10;
  log.MakeAt(Log(10));
  WriteFile(Log(11), "");
  WriteFile(dir_ / "MANIFEST-000012", "a manifest");
  WriteFile(dir_ / "OPTIONS-000013", "[CFOptions \"default\"]\n");
  ASSERT_TRUE(Recover().ok());
  ExpectRecovered(Log(10), log);
}

// The numbers were given out again.
TEST_F(DirectoryRecoveryTest, ANewerLogWithLowerSequenceNumbersSilencesTheRing) {
  for (const uint64_t first : {2U, 3U}) {
    WalBuilder wal;
    wal.AddBatch(1, 1, "one").AddBatch(2, 1, "two").AddBatch(3, 1, "three");
    DeadLog log;
    log.stream = wal.bytes();
    log.hi_stable = wal.ends()[0];
    const std::string ring = log.MakeAt(Log(10));
    WriteFile(Log(11), WalBuilder().AddBatch(first, 1, "by stock").bytes());
    const RingCase expected = first == 2 ? RingCase::kR10NotUsed : RingCase::kR3ProcessKilled;
    EXPECT_EQ(ReadLog(Log(10), ring, PluginRecoveryContext()).ring_case, expected);
    ASSERT_EQ(unlink(ring.c_str()), 0);
  }
}

// The newer ring was removed, and the process killed before it came to the older one.
TEST_F(DirectoryRecoveryTest, InterruptedRecoveryLosesNoLog) {
  for (int done = 0; done < 3; ++done) {
    std::vector<DeadLog> logs;
    std::vector<std::string> rings;
    for (uint32_t i = 0; i < 3; ++i) {
      logs.push_back(Unwritten(i));
      rings.push_back(logs.back().MakeAt(Log(10 + i)));
    }
    // As far as recovery may have got, oldest first.
    for (int i = 0; i < done; ++i) {
      WriteFile(Log(10 + static_cast<uint64_t>(i)), logs[static_cast<size_t>(i)].Promised());
      ASSERT_EQ(unlink(rings[static_cast<size_t>(i)].c_str()), 0);
    }
    ASSERT_TRUE(Recover().ok());
    for (uint32_t i = 0; i < 3; ++i) {
      ExpectRecovered(Log(10 + i), logs[i]);
      ASSERT_EQ(unlink(Log(10 + i).c_str()), 0);
    }
  }
}

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
