// The labelled cases of recovery in which a ring speaks for its log (R1, R3, R4; R2 is in
// recovery_owner_test.cc, R5 in recovery_machine_down_test.cc): what becomes of the file, of the
// ring, and what a reader sees who comes first. lss/CRASHES.md has the table.

#include "lss/recovery/recovery.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include "lss/ring/ring_memory.h"
#include "tests/support/dead_log.h"
#include "tests/support/files.h"
#include "tests/support/recovery_fixture.h"
#include "tests/support/temp_dir.h"

namespace lss {
namespace {

using bloom_lfs::test::Difference;
using bloom_lfs::test::ListTree;
using bloom_lfs::test::ReadFile;
using bloom_lfs::test::Tree;
using bloom_lfs::test::WriteFile;
using test::DeadLog;
using test::EditRing;
using test::Exists;
using test::Reading;
using test::RecoveryTest;
using test::Stream;

// --- no ring at all ---

TEST_F(RecoveryTest, NothingHappensWithoutARingDirectory) {
  WriteFile(log_, "bytes");
  EXPECT_TRUE(Run().ok());
  EXPECT_TRUE(recovered_.empty());
  EXPECT_EQ(ReadFile(log_), "bytes");
  EXPECT_FALSE(Exists(rings_)) << "and none is made";
}

TEST_F(RecoveryTest, AReaderWithoutARingGetsTheFile) {
  WriteFile(log_, "bytes");
  ring_ = rings_ + "/none.ring";
  const Reading reading = Look();
  EXPECT_TRUE(reading.status.ok());
  EXPECT_EQ(reading.bytes, "bytes");
}

// --- R1 ---

TEST_F(RecoveryTest, R1RingThatNeverGotAHeaderIsRemoved) {
  DeadLog log;
  log.stream = Stream(100);
  log.hi_stable = 100;
  Make(log);
  const struct {
    const char* name;
    size_t bytes;
  } stages[] = {{"created", 0}, {"allocated", RingFileBytes(4096, 4)}};
  for (const auto& stage : stages) {
    SCOPED_TRACE(stage.name);
    mkdir(rings_.c_str(), 0755);
    WriteFile(ring_, std::string(stage.bytes, '\0'));
    EXPECT_EQ(Look().ring_case, RingCase::kR1Unfinished);
    EXPECT_EQ(Look().bytes, log.File());
    EXPECT_EQ(Case(), RingCase::kR1Unfinished);
    EXPECT_EQ(ReadFile(log_), log.File());
    ExpectRingGone();
  }
  EXPECT_TRUE(warnings_.empty());
}

TEST_F(RecoveryTest, R1HeaderWithoutItsChecksumCountsForNothing) {
  DeadLog log;
  log.stream = Stream(100);
  log.committed = 0;
  EditRing(Make(log), [](RingHeader* header) { header->fixed_checksum = 0; });
  EXPECT_EQ(Look().ring_case, RingCase::kR1Unfinished);
  EXPECT_EQ(Case(), RingCase::kR1Unfinished);
  EXPECT_EQ(ReadFile(log_), "");
  ExpectRingGone();
}

// --- R3 ---

struct Killed {
  const char* name;
  size_t stream;
  Address hi_stable;
  Address committed;
  std::string behind;
};

class KilledProcess : public RecoveryTest, public testing::WithParamInterface<Killed> {};

TEST_P(KilledProcess, R3GivesExactlyTheCommittedBytes) {
  DeadLog log;
  log.stream = Stream(GetParam().stream);
  log.hi_stable = GetParam().hi_stable;
  log.committed = GetParam().committed;
  log.behind = GetParam().behind;
  Make(log);
  const Reading reading = Look();
  EXPECT_EQ(reading.ring_case, RingCase::kR3ProcessKilled);
  EXPECT_TRUE(reading.status.ok()) << reading.status.ToString();
  EXPECT_TRUE(reading.bytes == log.Promised());

  EXPECT_EQ(Case(), RingCase::kR3ProcessKilled);
  EXPECT_TRUE(ReadFile(log_) == log.Promised());
  const uint64_t replayed = log.Committed() - std::min(log.hi_stable, log.Committed());
  EXPECT_EQ(recovered_[0].bytes_replayed, replayed);
  EXPECT_EQ(recovered_[0].file, log_);
  EXPECT_TRUE(warnings_.empty());
  ExpectRingGone();
}

// Stream(n) is the beginning of every longer one, so "the ring's own bytes" can be named here.
std::string StreamPart(size_t from, size_t to) { return Stream(to).substr(from); }

INSTANTIATE_TEST_SUITE_P(
    Kills, KilledProcess,
    testing::Values(
        Killed{"NothingAppended", 0, 0, 0, ""},
        Killed{"NothingAppendedZerosBehind", 0, 0, 0, std::string(8192, '\0')},
        Killed{"NothingInTheFile", 3000, 0, 3000, ""}, Killed{"AllInTheFile", 3000, 3000, 3000, ""},
        Killed{"AllInTheFileAtAPageBoundary", 8192, 8192, 8192, ""},
        Killed{"WatermarkInsideAPage", 6000, 3000, 6000, ""},
        Killed{"WatermarkAtAPage", 6000, 4096, 6000, ""},
        Killed{"ZerosBehindTheTail", 6000, 3000, 6000, std::string(100000, '\0')},
        Killed{"ZerosBehindACompleteFile", 6000, 6000, 6000, std::string(100000, '\0')},
        Killed{"FileAheadOfTheWatermark", 10000, 4096, 10000, StreamPart(4096, 10000)},
        Killed{"SomeOfABatchIsInTheFile", 12288, 4096, 12288,
               std::string(4096, '\0') + StreamPart(8192, 12288)},
        Killed{"HalfCopiedAppendDoesNotCount", 9000, 3000, 5000, ""},
        Killed{"HalfCopiedAppendInTheFileIsCut", 9000, 3000, 5000, StreamPart(3000, 9000)},
        Killed{"RingWentRound", 40000, 25000, 40000, std::string(20000, '\0')},
        Killed{"RingIsFull", 16384, 0, 16384, ""},
        Killed{"RingIsFullInALaterLap", 65536, 49152, 65536, ""},
        Killed{"AppendLargerThanTheRingIsCut", 60000, 50000, 5000, std::string(3000, '\0')}),
    [](const testing::TestParamInfo<Killed>& kill) { return kill.param.name; });

TEST_F(RecoveryTest, R3IsDoneOnce) {
  DeadLog log;
  log.stream = Stream(6000);
  log.hi_stable = 3000;
  Make(log);
  EXPECT_EQ(Case(), RingCase::kR3ProcessKilled);
  const Tree after = ListTree(dir_.path());
  EXPECT_TRUE(Run().ok());
  EXPECT_TRUE(recovered_.empty());
  EXPECT_EQ(Difference(after, ListTree(dir_.path())), "");
}

TEST_F(RecoveryTest, R3FindsTheFileUnderAnyName) {
  DeadLog log;
  log.stream = Stream(6000);
  Make(log);
  const std::string renamed = dir_ / "archived.log";
  ASSERT_EQ(rename(log_.c_str(), renamed.c_str()), 0);
  WriteFile(log_, "another file under the old name");
  candidates_ = {log_, dir_ / "missing.log", renamed};
  EXPECT_EQ(Case(), RingCase::kR3ProcessKilled);
  EXPECT_TRUE(ReadFile(renamed) == log.Promised());
  EXPECT_EQ(ReadFile(log_), "another file under the old name");
}

TEST_F(RecoveryTest, EveryRingOfTheDirectoryIsRecovered) {
  std::vector<DeadLog> logs(5);
  candidates_.clear();
  for (size_t i = 0; i < logs.size(); ++i) {
    logs[i].stream = Stream(5000 + i * 1000, static_cast<uint32_t>(i));
    logs[i].hi_stable = i * 700;
    candidates_.push_back(dir_ / ("00000" + std::to_string(i) + ".log"));
    logs[i].MakeAt(candidates_.back());
  }
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(recovered_.size(), logs.size());
  for (size_t i = 0; i < logs.size(); ++i) {
    EXPECT_TRUE(ReadFile(candidates_[i]) == logs[i].Promised()) << candidates_[i];
  }
  ExpectRingGone();
}

// --- R4 ---

TEST_F(RecoveryTest, R4ClosedLogIsCompleteWhateverTheRingHolds) {
  DeadLog log;
  log.stream = Stream(6000);
  log.hi_stable = 6000;
  log.state = RingState::kClosed;
  Make(log);
  WriteFile(log_, Stream(6000, 2));
  const std::string file = ReadFile(log_);
  EXPECT_EQ(Look().ring_case, RingCase::kR4Closed);
  EXPECT_EQ(Look().bytes, file);
  EXPECT_EQ(Case(), RingCase::kR4Closed);
  EXPECT_EQ(ReadFile(log_), file);
  EXPECT_TRUE(warnings_.empty());
  ExpectRingGone();
}

// --- a store that continues an existing file ---

// Killed between the creation of the ring and the adoption of the file's bytes.
TEST_F(RecoveryTest, RingThatIsYoungerThanTheFilesBytesDoesNotEmptyTheFile) {
  const std::string bytes = Stream(6000);
  WriteFile(log_, bytes);
  FileIdentity identity;
  uint64_t size = 0;
  ASSERT_TRUE(IdentifyPath(log_, &identity, &size).ok());
  std::unique_ptr<RingMemory> ring;
  ASSERT_TRUE(RingMemory::Create(rings_, identity, RingOptions(), &ring).ok());
  ring.reset();
  ASSERT_TRUE(Run().ok());
  EXPECT_TRUE(ReadFile(log_) == bytes) << "now " << ReadFile(log_).size() << " bytes";
}

// As in a copied directory, where inode numbers are dealt anew to the same names.
TEST(FindRing, ARingThatSaysTheNameGoesBeforeOneThatHasTheInodeNumberOfAnother) {
  const bloom_lfs::test::TempDir dir;
  const std::string first = dir / "000007.log";
  const std::string second = dir / "000008.log";
  const std::string ring_of_first = DeadLog().MakeAt(first);
  const std::string ring_of_second = DeadLog().MakeAt(second);
  FileIdentity identity;
  uint64_t size = 0;
  ASSERT_TRUE(IdentifyPath(first, &identity, &size).ok());
  EXPECT_EQ(FindRing(second, identity.inode), ring_of_second);
  EXPECT_EQ(FindRing(first, identity.inode), ring_of_first);
  EXPECT_EQ(FindRing(dir / "000008.log.trash", identity.inode), ring_of_first) << "renamed";
}

TEST(FindRing, LooksBesideTheFileAndOfAnArchivedOneBesideItsDirectory) {
  const bloom_lfs::test::TempDir dir;
  const std::string log = dir / "000007.log";
  DeadLog dead;
  const std::string ring = dead.MakeAt(log);
  FileIdentity identity;
  uint64_t size = 0;
  ASSERT_TRUE(IdentifyPath(log, &identity, &size).ok());
  EXPECT_EQ(FindRing(log, identity.inode), ring);
  EXPECT_EQ(FindRing(log, identity.inode + 1), ring) << "of a copy, by its name";
  EXPECT_EQ(FindRing(dir / "000008.log", identity.inode + 1), "");
  ASSERT_EQ(mkdir((dir / "archive").c_str(), 0755), 0);
  ASSERT_EQ(mkdir((dir / "other").c_str(), 0755), 0);
  EXPECT_EQ(FindRing(dir / "other/000007.log", identity.inode), "") << "anybody's parent";
  ASSERT_EQ(rename(log.c_str(), (dir / "archive/000007.log").c_str()), 0);
  const std::string found = FindRing(dir / "archive/000007.log", identity.inode);
  struct stat expected = {};
  struct stat actual = {};
  ASSERT_EQ(stat(ring.c_str(), &expected), 0);
  ASSERT_EQ(stat(found.c_str(), &actual), 0) << found;
  EXPECT_EQ(actual.st_ino, expected.st_ino);
}

// A restore or stock RocksDB at work at the same moment. What was judged is what is acted on.
TEST_F(RecoveryTest, AFileThatIsRenamedOverTheLogMeanwhileIsNotTouched) {
  DeadLog log;
  log.stream = Stream(6000);
  log.hi_stable = 3000;
  Make(log);
  const std::string moved = dir_ / "moved";
  const std::string other = Stream(5000, 99);
  WriteFile(dir_ / "other", other);
  context_.witness.current = [&](const std::string& file, const RingView&, uint64_t) {
    EXPECT_EQ(rename(file.c_str(), moved.c_str()), 0);
    EXPECT_EQ(rename((dir_ / "other").c_str(), file.c_str()), 0);
    return true;
  };
  EXPECT_EQ(Case(), RingCase::kR3ProcessKilled);
  EXPECT_TRUE(ReadFile(moved) == log.Promised()) << "the acknowledged bytes are where they belong";
  EXPECT_TRUE(ReadFile(log_) == other);
}

// Somebody deletes or moves logs at the same moment.
TEST_F(RecoveryTest, AFileThatVanishesBetweenTheListingAndTheOpeningIsNoError) {
  const std::string moved = dir_ / "moved";
  for (int i = 0; i < 300; ++i) {
    DeadLog log;
    log.stream = Stream(100);
    log.hi_stable = 100;
    log.state = RingState::kClosed;
    Make(log);
    std::atomic<bool> stop{false};
    std::thread mover([&] {
      while (!stop) {
        (void)rename(log_.c_str(), moved.c_str());
        (void)rename(moved.c_str(), log_.c_str());
      }
    });
    const Status status = Run();
    stop = true;
    mover.join();
    ASSERT_TRUE(status.ok()) << status.ToString();
  }
}

}  // namespace
}  // namespace lss
