// The labelled cases of recovery in which a ring does not speak for a log (R6 to R10), and things
// that are no rings at all: the log's file is never touched. lss/CRASHES.md has the table.

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "lss/recovery/recovery.h"
#include "tests/support/dead_log.h"
#include "tests/support/files.h"
#include "tests/support/recovery_fixture.h"
#include "tests/support/temp_dir.h"

namespace lss {
namespace {

using bloom_lfs::test::Difference;
using bloom_lfs::test::ListTree;
using bloom_lfs::test::ReadFile;
using bloom_lfs::test::TempDir;
using bloom_lfs::test::Tree;
using bloom_lfs::test::WriteFile;
using test::DeadLog;
using test::EditRing;
using test::Exists;
using test::Reading;
using test::ReadLog;
using test::RecoveryTest;
using test::RestartMachine;
using test::RewriteRing;
using test::Stream;

class RecoveryRefusalTest : public RecoveryTest {};

// --- R6; recovery_damage_test.cc damages every byte ---

TEST_F(RecoveryRefusalTest, R6DamagedHeaderIsSetAsideAndTheLogIsNotTouched) {
  DeadLog log;
  log.stream = Stream(6000);
  log.hi_stable = 3000;
  EditRing(Make(log), [](RingHeader* header) { header->fixed.inode ^= 1; });
  const Tree before = ListTree(dir_.path());
  EXPECT_EQ(Look().ring_case, RingCase::kR6Damaged);
  EXPECT_EQ(Look().bytes, log.File());
  EXPECT_EQ(Case(), RingCase::kR6Damaged);
  EXPECT_EQ(ListTree(dir_.path()).at("000007.log"), before.at("000007.log"));
  ExpectSetAside();
  EXPECT_NE(warnings_[0].find("R6 damaged"), std::string::npos) << warnings_[0];
  // And it stays aside: nobody looks at it again.
  EXPECT_TRUE(Run().ok());
  EXPECT_TRUE(recovered_.empty());
}

// --- R7 ---

// As if it had been made for a file with another name.
void ForgetName(RingHeader* header) { StoreStreamName("000001.log", &header->name); }

TEST_F(RecoveryRefusalTest, R7OtherBirthTimeAndNameMeanAnotherFile) {
  DeadLog log;
  log.stream = Stream(6000);
  log.hi_stable = 3000;
  RewriteRing(Make(log), [](RingHeaderFixed* fixed) { --fixed->birth_time_ns; });
  EditRing(ring_, ForgetName);
  EXPECT_EQ(Look().ring_case, RingCase::kR7Foreign);
  EXPECT_EQ(Look().bytes, log.File());
  EXPECT_EQ(Case(), RingCase::kR7Foreign);
  EXPECT_EQ(ReadFile(log_), log.File());
  ExpectSetAside();
}

TEST_F(RecoveryRefusalTest, R7RingFileUnderAnotherLogsInode) {
  DeadLog log;
  log.stream = Stream(6000);
  log.hi_stable = 3000;
  Make(log);
  WriteFile(dir_ / "000008.log", "another log");
  EXPECT_EQ(ReadLog(dir_ / "000008.log", ring_).ring_case, RingCase::kR12Orphan);
  EXPECT_EQ(ReadLog(dir_ / "000008.log", ring_).bytes, "another log");
}

// A remount may change device numbers; it does not make another file of a file.
TEST_F(RecoveryRefusalTest, R3OtherDeviceNumberIsTheSameFileWhereBirthTimesAreKnown) {
  DeadLog log;
  log.stream = Stream(6000);
  log.hi_stable = 3000;
  RewriteRing(Make(log), [](RingHeaderFixed* fixed) { ++fixed->device; });
  EXPECT_EQ(Case(), RingCase::kR3ProcessKilled);
  EXPECT_TRUE(ReadFile(log_) == log.Promised());
}

TEST_F(RecoveryRefusalTest, R7AppliesToAllThatNameAFile) {
  for (const RingState state : {RingState::kLive, RingState::kClosed}) {
    for (const bool restarted : {false, true}) {
      DeadLog log;
      log.stream = Stream(6000);
      log.hi_stable = 6000;
      log.state = state;
      Make(log);
      if (restarted) {
        RestartMachine(ring_);
      }
      RewriteRing(ring_, [](RingHeaderFixed* fixed) { --fixed->birth_time_ns; });
      EditRing(ring_, ForgetName);
      EXPECT_EQ(Case(), RingCase::kR7Foreign);
      EXPECT_EQ(ReadFile(log_), log.File());
    }
  }
}

// --- R8 ---

TEST_F(RecoveryRefusalTest, R8FutureVersionStopsEverybodyAndChangesNothing) {
  DeadLog log;
  log.stream = Stream(6000);
  log.hi_stable = 3000;
  RewriteRing(Make(log), [](RingHeaderFixed* fixed) { ++fixed->format_version; });
  const Tree before = ListTree(dir_.path());
  for (const Status& status : {Look().status, Run()}) {
    EXPECT_EQ(status.code(), Status::Code::kNotSupported);
    EXPECT_NE(status.message().find(ring_), std::string::npos) << "the file";
    EXPECT_NE(status.message().find("later version"), std::string::npos) << "the cause";
    EXPECT_NE(status.message().find("open the database once with that version"), std::string::npos)
        << "the remedy";
  }
  EXPECT_EQ(Difference(before, ListTree(dir_.path())), "");
}

TEST_F(RecoveryRefusalTest, R8IsRecognisedByItsVersionAlone) {
  DeadLog log;
  EditRing(Make(log), [](RingHeader* header) {
    header->fixed.format_version = 1000;
    header->fixed_checksum = 0x12345678;
  });
  EXPECT_EQ(Look().ring_case, RingCase::kR8FutureVersion);
  EXPECT_EQ(Run().code(), Status::Code::kNotSupported);
}

// --- R9 ---

TEST_F(RecoveryRefusalTest, R9RingOfADeletedLogIsRemoved) {
  DeadLog log;
  log.stream = Stream(6000);
  log.hi_stable = 6000;
  Make(log);
  ASSERT_EQ(unlink(log_.c_str()), 0);
  EXPECT_EQ(Case(), RingCase::kR9FileGone);
  EXPECT_TRUE(warnings_.empty());
  EXPECT_FALSE(Exists(log_));
  ExpectRingGone();
}

TEST_F(RecoveryRefusalTest, R12RingWithTheOnlyBytesIsSetAside) {
  DeadLog log;
  log.stream = Stream(6000);
  log.hi_stable = 3000;
  Make(log);
  ASSERT_EQ(unlink(log_.c_str()), 0);
  EXPECT_EQ(Case(), RingCase::kR12Orphan);
  ExpectSetAside();
}

// A fault-injection environment, or a restore, renames another file over the log. What cannot be
// read is not shown to continue it.
TEST_F(RecoveryRefusalTest, R10ReplacedFileIsNotTouched) {
  DeadLog log;
  log.stream = Stream(6000);
  log.hi_stable = 3000;
  Make(log);
  WriteFile(dir_ / "other", log.File() + "and something else");
  ASSERT_EQ(rename((dir_ / "other").c_str(), log_.c_str()), 0);
  const std::string file = ReadFile(log_);
  EXPECT_EQ(Case(), RingCase::kR10NotUsed);
  EXPECT_EQ(ReadFile(log_), file);
  ExpectSetAside();
}

TEST_F(RecoveryRefusalTest, R10UnreadableCopyIsNotTouchedAndTheOriginalIsRecovered) {
  DeadLog log;
  log.stream = Stream(6000);
  log.hi_stable = 3000;
  log.behind = std::string(5000, '\0');
  const TempDir original;
  const std::string original_log = original / "000007.log";
  log.MakeAt(original_log);
  bloom_lfs::test::CopyTree(original.path(), dir_.path());

  EXPECT_EQ(Case(), RingCase::kR10NotUsed);
  EXPECT_TRUE(ReadFile(log_) == log.File());

  recovered_.clear();
  ASSERT_TRUE(
      Recover(original / kRingDirectoryName, {original_log, log_}, context_, &recovered_).ok());
  EXPECT_EQ(recovered_[0].ring_case, RingCase::kR3ProcessKilled);
  EXPECT_TRUE(ReadFile(original_log) == log.Promised());
  EXPECT_TRUE(ReadFile(log_) == log.File());
}

// --- R10 ---

class ContradictionTest : public RecoveryTest {
 protected:
  // The file of a dead log as somebody else has left it.
  void ExpectContradiction(const DeadLog& log, const std::string& file) {
    Make(log);
    WriteFile(log_, file);
    const Reading reading = Look();
    EXPECT_EQ(reading.ring_case, RingCase::kR10NotUsed);
    EXPECT_TRUE(reading.bytes == file);
    EXPECT_EQ(Case(), RingCase::kR10NotUsed);
    EXPECT_TRUE(ReadFile(log_) == file) << "now " << ReadFile(log_).size() << " bytes";
    ExpectSetAside();
  }
};

TEST_F(ContradictionTest, R10FileHasOtherBytesBelowTheWatermark) {
  DeadLog log;
  log.stream = Stream(6000);
  log.hi_stable = 5000;
  std::string file = log.File();
  file[4500] ^= 1;
  ExpectContradiction(log, file);
}

TEST_F(ContradictionTest, R10FileHasOtherBytesAboveTheWatermark) {
  DeadLog log;
  log.stream = Stream(6000);
  log.hi_stable = 5000;
  ExpectContradiction(log, log.File() + Stream(500, 2));
}

TEST_F(ContradictionTest, R10FileEndsBelowTheWatermark) {
  DeadLog log;
  log.stream = Stream(6000);
  log.hi_stable = 5000;
  ExpectContradiction(log, log.File().substr(0, 4999));
}

// Nothing of the ring is left to write, and still its word about the length must not be taken: the
// file would grow zeros.
TEST_F(ContradictionTest, R10ShorterFileIsNotExtendedToAWatermarkAtAPageBoundary) {
  DeadLog log;
  log.stream = Stream(8192);
  log.hi_stable = 8192;
  ExpectContradiction(log, log.File().substr(0, 100));
}

TEST_F(ContradictionTest, R10BytesThatOthersAppendedAreNotCut) {
  DeadLog log;
  log.stream = Stream(5000);
  log.hi_stable = 5000;
  ExpectContradiction(log, log.File() + "appended by somebody else");
}

TEST_F(ContradictionTest, R10BytesThatOthersAppendedBehindZerosAreNotCut) {
  DeadLog log;
  log.stream = Stream(8192);
  log.hi_stable = 8192;
  ExpectContradiction(log, log.File() + std::string(300000, '\0') + "appended by somebody else");
}

TEST_F(ContradictionTest, R10FileThatWasWrittenAnewIsNotCut) {
  DeadLog log;
  ExpectContradiction(log, "a recycled file, by stock RocksDB\n");
}

TEST_F(RecoveryRefusalTest, R10RingThatIsNotCurrentIsSetAside) {
  DeadLog log;
  log.stream = Stream(6000);
  log.hi_stable = 3000;
  Make(log);
  std::string asked;
  context_.witness.current = [&](const std::string& file, const RingView& ring, uint64_t) {
    EXPECT_EQ(ring.path(), ring_);
    asked = file;
    return false;
  };
  EXPECT_EQ(Look().ring_case, RingCase::kR10NotUsed);
  EXPECT_EQ(Look().bytes, log.File());
  EXPECT_EQ(Case(), RingCase::kR10NotUsed);
  EXPECT_EQ(asked, log_);
  EXPECT_EQ(ReadFile(log_), log.File());
  ExpectSetAside();
}

// --- things that are no ring files ---

TEST_F(RecoveryRefusalTest, OtherFilesInTheRingDirectoryAreLeftAlone) {
  ASSERT_EQ(mkdir(rings_.c_str(), 0755), 0);
  WriteFile(rings_ + "/notes.txt", "hello");
  WriteFile(rings_ + "/0000000000000001.ring.aside", "hello");
  WriteFile(log_, "bytes");
  const Tree before = ListTree(dir_.path());
  EXPECT_TRUE(Run().ok());
  EXPECT_TRUE(recovered_.empty());
  EXPECT_EQ(Difference(before, ListTree(dir_.path())), "");
}

TEST_F(RecoveryRefusalTest, RingPathThatIsADirectoryIsAnErrorThatNamesIt) {
  WriteFile(log_, "bytes");
  ring_ = rings_ + "/0000000000000001.ring";
  ASSERT_EQ(mkdir(rings_.c_str(), 0755), 0);
  ASSERT_EQ(mkdir(ring_.c_str(), 0755), 0);
  const Status status = Run();
  if (!status.ok()) {
    EXPECT_NE(status.message().find(ring_), std::string::npos) << status.message();
  }
  EXPECT_EQ(ReadFile(log_), "bytes");
  EXPECT_EQ(ReadLog(log_, ring_).bytes, "bytes");
}

TEST_F(RecoveryRefusalTest, RingPathThatIsAFifoBlocksNobody) {
  WriteFile(log_, "bytes");
  ring_ = rings_ + "/0000000000000001.ring";
  ASSERT_EQ(mkdir(rings_.c_str(), 0755), 0);
  ASSERT_EQ(mkfifo(ring_.c_str(), 0644), 0);
  EXPECT_EQ(ReadLog(log_, ring_).bytes, "bytes");
  EXPECT_TRUE(Run().ok());
  EXPECT_EQ(ReadFile(log_), "bytes");
}

TEST_F(RecoveryRefusalTest, RingDirectoryThatIsAFileHoldsNoRings) {
  WriteFile(log_, "bytes");
  WriteFile(rings_, "not a directory");
  EXPECT_TRUE(Run().ok());
  EXPECT_TRUE(recovered_.empty());
  EXPECT_EQ(ReadFile(rings_), "not a directory");
  EXPECT_EQ(ReadFile(log_), "bytes");
}

}  // namespace
}  // namespace lss
