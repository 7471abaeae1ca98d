// Each fact that the judge asks for, found in a ring and a file that have it and in some that do
// not.
#include "lss/recovery/facts.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <unistd.h>

#include <memory>
#include <string>

#include "tests/support/dead_log.h"
#include "tests/support/files.h"
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
  RingFacts Facts(const StillCurrent& still_current = nullptr) {
    std::unique_ptr<RingView> view;
    EXPECT_TRUE(RingView::Open(ring_, &view).ok());
    const UniqueFd fd(open(path_.c_str(), O_RDONLY | O_CLOEXEC));
    RingFacts facts;
    const Status status = GatherFacts(fd.get(), path_, *view, still_current, &facts);
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

TEST_F(FactsTest, Lock) {
  const UniqueFd owner(open(ring_.c_str(), O_RDWR | O_CLOEXEC));
  ASSERT_EQ(flock(owner.get(), LOCK_EX), 0);
  EXPECT_TRUE(Facts().owner_alive);
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

TEST_F(FactsTest, Target) {
  test::RewriteRing(ring_, [](RingHeaderFixed* fixed) { fixed->birth_time_ns += 1; });
  EXPECT_EQ(Facts().target, TargetFound::kOther);
  Make();
  test::RewriteRing(ring_, [](RingHeaderFixed* fixed) {
    StoreStreamId(StreamId::Named({1, 2}), fixed);
  });
  EXPECT_EQ(Facts().target, TargetFound::kNotAFile);
}

TEST_F(FactsTest, TheTargetIsFoundByItsInodeAmongCandidates) {
  WriteFile(dir_ / "000008.log", "");
  std::unique_ptr<RingView> view;
  ASSERT_TRUE(RingView::Open(ring_, &view).ok());
  EXPECT_EQ(FindTarget(ExistingCandidates({dir_ / "none", dir_ / "000008.log", path_}), *view),
            path_);
  EXPECT_EQ(FindTarget(ExistingCandidates({dir_ / "000008.log"}), *view), "");
  EXPECT_EQ(FindTarget({}, *view), "");
}

TEST_F(FactsTest, ContentIsLookedAtOnlyWhereItDecides) {
  int asked = 0;
  const StillCurrent gone = [&](const std::string&, const RingView&) {
    ++asked;
    return false;
  };
  EXPECT_TRUE(Facts(gone).superseded);
  EXPECT_EQ(asked, 1);
  const UniqueFd file(open(path_.c_str(), O_RDWR | O_CLOEXEC));
  ASSERT_EQ(pwrite(file.get(), "X", 1, 10), 1);  // below the watermark, where the ring has it too
  EXPECT_FALSE(Facts(gone).file_agrees);
  EXPECT_EQ(asked, 1) << "a file that differs is enough";
  test::RestartMachine(ring_);
  EXPECT_TRUE(Facts(gone).file_agrees) << "not looked at: nothing hangs on it";
  EXPECT_EQ(asked, 1);
}

}  // namespace
}  // namespace lss
