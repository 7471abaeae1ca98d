// Each fact that the judge asks for, found in a ring and a file that have it and in some that do
// not.
#include "lss/recovery/facts.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "lss/ring/ring_lock.h"
#include "tests/support/dead_log.h"
#include "tests/support/files.h"
#include "tests/support/line_scanner.h"
#include "tests/support/temp_dir.h"

namespace lss {
namespace {

using bloom_lfs::test::TempDir;
using bloom_lfs::test::WriteFile;
using test::DeadLog;
using test::Stream;

class FactsTest : public testing::Test {
 protected:
  FactsTest() {
    log_.stream = Stream(6000);
    log_.hi_stable = 3000;
    log_.durable = 1000;
    Make();
  }
  void Make() { ring_ = log_.MakeAt(path_); }
  RingFacts Facts(const Witness& witness = {}, const TailScanner& scan = nullptr) {
    std::unique_ptr<RingView> view;
    EXPECT_TRUE(RingView::Open(ring_, &view).ok());
    const UniqueFd fd(open(path_.c_str(), O_RDONLY | O_CLOEXEC));
    RingFacts facts;
    Evidence evidence;
    const Status status = GatherFacts(fd.get(), path_, *view, scan, witness, &facts, &evidence);
    EXPECT_TRUE(status.ok()) << status.ToString();
    return facts;
  }

  TempDir dir_;
  const std::string path_ = dir_ / "000007.log";
  DeadLog log_;
  std::string ring_;
};

TEST_F(FactsTest, OfAKilledOwner) {
  const RingFacts facts = Facts();
  EXPECT_EQ(facts.header, HeaderState::kWhole);
  EXPECT_FALSE(facts.owner_alive);
  EXPECT_TRUE(facts.same_boot);
  EXPECT_TRUE(facts.words_agree);
  EXPECT_FALSE(facts.closed);
  EXPECT_TRUE(facts.holds_unwritten);
  EXPECT_EQ(facts.target, TargetFound::kSame);
  EXPECT_TRUE(facts.file_agrees);
  EXPECT_FALSE(facts.superseded);
  EXPECT_TRUE(facts.trusted);
  EXPECT_EQ(facts.content, ContentFound::kOpaque);
  EXPECT_FALSE(facts.adds);
}

TEST_F(FactsTest, Header) {
  test::RewriteRing(ring_, [](RingHeaderFixed* fixed) { fixed->format_version = 99; });
  EXPECT_EQ(Facts().header, HeaderState::kFutureVersion);
  Make();
  test::EditRing(ring_, [](RingHeader* header) { header->fixed.inode += 1; });
  EXPECT_EQ(Facts().header, HeaderState::kDamaged);
  Make();
  test::EditRing(ring_, [](RingHeader* header) { header->fixed_checksum.store(0); });
  EXPECT_EQ(Facts().header, HeaderState::kUnpublished);
}

TEST_F(FactsTest, Owner) {
  const UniqueFd owner(open(ring_.c_str(), O_RDWR | O_CLOEXEC));
  FileIdentity identity;
  uint64_t size = 0;
  ASSERT_TRUE(IdentifyFd(owner.get(), ring_, &identity, &size).ok());
  RingLock lock;
  ASSERT_TRUE(RingLock::Take(owner.get(), ring_, identity, RingLock::Purpose::kOwn, &lock).ok());
  EXPECT_TRUE(Facts().owner_alive);
  Witness alone;
  alone.no_owner_elsewhere = [](const std::string&) { return true; };
  EXPECT_TRUE(Facts(alone).owner_alive) << "it is here, not elsewhere";
}

TEST_F(FactsTest, Trust) {
  ASSERT_EQ(chmod(ring_.c_str(), 0666), 0);
  EXPECT_FALSE(Facts().trusted) << "anybody may write to it, and not to the log";
}

TEST_F(FactsTest, Boot) {
  test::RestartMachine(ring_);
  EXPECT_FALSE(Facts().same_boot);
}

TEST_F(FactsTest, Words) {
  test::EditRing(
      ring_, [](RingHeader* header) { header->durable.store(5000, std::memory_order_relaxed); });
  EXPECT_FALSE(Facts().words_agree) << "durable above the watermark";
}

TEST_F(FactsTest, ClosedAndUnwritten) {
  log_.state = RingState::kClosed;
  Make();
  EXPECT_TRUE(Facts().closed);
  EXPECT_FALSE(Facts().holds_unwritten) << "a closed stream is in its file";
  log_.state = RingState::kLive;
  log_.hi_stable = 6000;
  Make();
  EXPECT_FALSE(Facts().holds_unwritten);
}

// A ring that its owner has made beside a file that its owner has not.
TEST_F(FactsTest, AnotherFileInTheLogsPlace) {
  log_.original = true;
  Make();
  EXPECT_FALSE(Facts().superseded);
  ASSERT_EQ(truncate(path_.c_str(), 2000), 0);
  EXPECT_TRUE(Facts().superseded) << "shorter than what the owner has written";
  test::RewriteRing(ring_, [](RingHeaderFixed* fixed) { fixed->inode += 1; });
  EXPECT_TRUE(Facts().superseded) << "restored over the log";
  ASSERT_EQ(truncate(path_.c_str(), 3000), 0);
  EXPECT_FALSE(Facts().superseded) << "a copy of the log, with all that it had";

  log_.original = false;
  Make();
  ASSERT_EQ(truncate(path_.c_str(), 2000), 0);
  EXPECT_FALSE(Facts().superseded) << "the ring may be a copy, ahead of the file's";
}

TEST_F(FactsTest, ASnapshotNeedNotBeOfOneMoment) {
  log_.original = true;
  Make();
  test::EditRing(ring_, [](RingHeader* header) {
    FileIdentity elsewhere = LoadRingSelf(header->self);
    elsewhere.device += 1;
    StoreRingSelf(elsewhere, &header->self);
  });
  ASSERT_EQ(truncate(path_.c_str(), 2000), 0);
  EXPECT_FALSE(Facts().superseded);
  test::EditRing(ring_, [](RingHeader* header) { header->self.birth_time_ns += 1; });
  EXPECT_FALSE(Facts().superseded) << "damaged: not known";
}

TEST_F(FactsTest, Target) {
  test::RewriteRing(ring_, [](RingHeaderFixed* fixed) { fixed->inode += 1; });
  EXPECT_EQ(Facts().target, TargetFound::kNamed);
  Make();
  test::RewriteRing(ring_, [](RingHeaderFixed* fixed) { fixed->birth_time_ns += 1; });
  EXPECT_EQ(Facts().target, TargetFound::kNamed) << "copies of both may have got the old number";
  log_.original = true;
  Make();
  test::RewriteRing(ring_, [](RingHeaderFixed* fixed) { fixed->birth_time_ns += 1; });
  EXPECT_EQ(Facts().target, TargetFound::kOther) << "the inode number was given out again";
  test::EditRing(ring_, [](RingHeader* header) { StoreStreamName("other", &header->name); });
  EXPECT_EQ(Facts().target, TargetFound::kOther);
  Make();
  test::RewriteRing(ring_, [](RingHeaderFixed* fixed) {
    StoreStreamId(StreamId::Named({1, 2}), fixed);
  });
  EXPECT_EQ(Facts().target, TargetFound::kNotAFile);
}

TEST_F(FactsTest, TheTargetIsFoundByItselfThenByItsNameThenByItsInodeNumber) {
  WriteFile(dir_ / "000008.log", "");
  std::unique_ptr<RingView> view;
  ASSERT_TRUE(RingView::Open(ring_, &view).ok());
  std::vector<Candidate> candidates =
      ExistingCandidates({dir_ / "none", dir_ / "000008.log", path_});
  ASSERT_EQ(candidates.size(), 2U);
  const Candidate* itself = FindTarget(candidates, *view);
  ASSERT_NE(itself, nullptr);
  EXPECT_EQ(itself->path, path_);
  // As in a copied directory: a file has the name, and another one the inode number.
  candidates[0].identity.inode = candidates[1].identity.inode;
  candidates[1].identity.inode += 1;
  EXPECT_EQ(FindTarget(candidates, *view), &candidates[1]);
  candidates[1].path = dir_ / "000009.log";
  EXPECT_EQ(FindTarget(candidates, *view), &candidates[0]);
  candidates[0].identity.inode += 2;
  EXPECT_EQ(FindTarget(candidates, *view), nullptr);
}

TEST_F(FactsTest, WithoutBirthTimesTheNameGoesBeforeTheInodeNumber) {
  std::unique_ptr<RingView> view;
  test::RewriteRing(ring_, [](RingHeaderFixed* fixed) { fixed->birth_time_ns = 0; });
  ASSERT_TRUE(RingView::Open(ring_, &view).ok());
  const FileIdentity same = view->target().file;
  FileIdentity another = same;
  another.inode += 1;
  // As on another disk that has got the device number of the first.
  const std::vector<Candidate> candidates = {{dir_ / "000008.log", same}, {path_, another}};
  EXPECT_EQ(FindTarget(candidates, *view), &candidates[1]);
  const std::vector<Candidate> renamed = {candidates[0]};
  EXPECT_EQ(FindTarget(renamed, *view), renamed.data());
}

TEST_F(FactsTest, ContentIsLookedAtOnlyWhereItDecides) {
  int asked = 0;
  Witness witness;
  witness.current = [&](const std::string&, const RingView&, uint64_t) {
    ++asked;
    return false;
  };
  EXPECT_TRUE(Facts(witness).superseded);
  EXPECT_EQ(asked, 1);
  const UniqueFd file(open(path_.c_str(), O_RDWR | O_CLOEXEC));
  ASSERT_EQ(pwrite(file.get(), "X", 1, 10), 1);  // below the watermark, where the ring has it too
  EXPECT_FALSE(Facts(witness).file_agrees);
  test::EditRing(ring_, [](RingHeader* header) { header->fixed.inode += 1; });
  asked = 0;
  EXPECT_TRUE(Facts(witness).file_agrees) << "not looked at: nothing hangs on it";
  EXPECT_EQ(asked, 0);
}

TEST_F(FactsTest, BehindAnIncompleteStreamNothingIsAdded) {
  log_.stream = "1 one\n2 two\n3 three\n";
  log_.hi_stable = 6;
  log_.durable = 0;
  Make();
  Witness witness;
  EXPECT_EQ(Facts(witness, test::ScanLines).content, ContentFound::kWhole);
  EXPECT_TRUE(Facts(witness, test::ScanLines).adds);
  witness.earlier_whole = [](const std::string&) { return false; };
  EXPECT_EQ(Facts(witness, test::ScanLines).content, ContentFound::kNotWhole);
  EXPECT_FALSE(Facts(witness, test::ScanLines).adds);
}

}  // namespace
}  // namespace lss
