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
#include "tests/support/directory_recovery_fixture.h"
#include "tests/support/files.h"
#include "tests/support/temp_dir.h"
#include "tests/support/wal_builder.h"

namespace bloom_lfs {
namespace {

using lss::FileIdentity;
using lss::RingCase;
using lss::test::DeadLog;
using lss::test::Exists;
using lss::test::ReadLog;
using test::Difference;
using test::DirectoryRecoveryTest;
using test::ListTree;
using test::ReadFile;
using test::Tree;
using test::WalBuilder;
using test::WriteFile;

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

}  // namespace
}  // namespace bloom_lfs
