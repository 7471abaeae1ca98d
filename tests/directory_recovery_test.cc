// Recovery as RocksDB needs it: several logs of one database, where their records end, and when a
// ring must be silent because stock RocksDB has gone on without it.

#include "plugin/directory_recovery.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>
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
  // Files that are born within one tick of the clock look equally old.
  static void LetTimePass() { std::this_thread::sleep_for(std::chrono::milliseconds(20)); }
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
    LetTimePass();
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
    LetTimePass();
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

TEST_F(DirectoryRecoveryTest, ANewerLogWithoutARingSilencesTheOlderRings) {
  const DeadLog log = Unwritten(1);
  const std::string ring = log.MakeAt(Log(10));
  LetTimePass();
  WriteFile(Log(11), WalBuilder().Add("written by stock RocksDB").bytes());
  const lss::test::Reading reading = ReadLog(Log(10), ring, PluginRecoveryContext());
  EXPECT_EQ(reading.ring_case, RingCase::kR10NotUsed);
  EXPECT_TRUE(reading.bytes == log.File());
  ASSERT_TRUE(Recover().ok());
  EXPECT_TRUE(ReadFile(Log(10)) == log.File());
  EXPECT_TRUE(Exists(ring + lss::kAsideSuffix));
}

TEST_F(DirectoryRecoveryTest, AnOlderLogWithoutARingProvesNothing) {
  WriteFile(Log(9), WalBuilder().Add("closed before").bytes());
  LetTimePass();
  const DeadLog log = Unwritten(1);
  log.MakeAt(Log(10));
  ASSERT_TRUE(Recover().ok());
  ExpectRecovered(Log(10), log);
}

// A log gets its name when its ring is there, so this one is stock's. Merely by opening the
// database stock has decided what the older log holds.
TEST_F(DirectoryRecoveryTest, AnEmptyNewerLogWithoutARingIsStocksToo) {
  if (!lss::CreateUnnamed(dir_.path()).valid()) {
    GTEST_SKIP() << "this file system cannot make files without a name";
  }
  const DeadLog log = Unwritten(1);
  const std::string ring = log.MakeAt(Log(10));
  LetTimePass();
  WriteFile(Log(11), "");
  EXPECT_EQ(ReadLog(Log(10), ring, PluginRecoveryContext()).ring_case, RingCase::kR10NotUsed);
  ASSERT_TRUE(Recover().ok());
  EXPECT_TRUE(ReadFile(Log(10)) == log.File());
}

// It was the writer's own, and has been closed.
TEST_F(DirectoryRecoveryTest, ANewerLogFromTheWritersLifetimeProvesNothing) {
  WriteFile(Log(11), WalBuilder().Add("closed cleanly").bytes());
  LetTimePass();
  const DeadLog log = Unwritten(1);
  log.MakeAt(Log(10));  // its writer's last sign of life is from now
  ASSERT_TRUE(Recover().ok());
  ExpectRecovered(Log(10), log);
}

TEST_F(DirectoryRecoveryTest, ANewerLogWithARingOfItsOwnProvesNothing) {
  const DeadLog older = Unwritten(1);
  const std::string ring = older.MakeAt(Log(10));
  LetTimePass();
  Unwritten(2).MakeAt(Log(11));
  EXPECT_EQ(ReadLog(Log(10), ring, PluginRecoveryContext()).ring_case, RingCase::kR3ProcessKilled);
}

// The newer ring was removed, and the process killed before it came to the older one.
TEST_F(DirectoryRecoveryTest, InterruptedRecoveryLosesNoLog) {
  for (int done = 0; done < 3; ++done) {
    std::vector<DeadLog> logs;
    std::vector<std::string> rings;
    for (uint32_t i = 0; i < 3; ++i) {
      logs.push_back(Unwritten(i));
      rings.push_back(logs.back().MakeAt(Log(10 + i)));
      LetTimePass();
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

// --- the machine went down ---

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
