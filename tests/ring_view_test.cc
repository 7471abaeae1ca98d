// A ring as others see it: which addresses it holds, and reading file and ring as one.

#include "lss/ring/ring_view.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <random>
#include <set>
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

class RingViewTest : public testing::Test {
 protected:
  void Make(const DeadLog& log) {
    ring_ = log.MakeAt(log_);
    fd_ = UniqueFd(open(log_.c_str(), O_RDONLY | O_CLOEXEC));
    View();
  }
  void View() {
    const Status status = RingView::Open(ring_, &view_);
    ASSERT_TRUE(status.ok()) << status.ToString();
  }
  std::string CopyOut(Address from, size_t length, Address limit) {
    std::string bytes(length, '?');
    bytes.resize(view_->CopyOut(from, length, limit, bytes.data()));
    return bytes;
  }
  Status Merged(Address from, size_t length, Address limit, std::string* bytes) {
    bytes->assign(length, '?');
    size_t read = 0;
    Status status = ReadMerged(fd_.get(), *view_, from, length, limit, bytes->data(), &read);
    bytes->resize(read);
    return status;
  }

  TempDir dir_;
  const std::string log_ = dir_ / "000007.log";
  std::string ring_;
  UniqueFd fd_;
  std::unique_ptr<RingView> view_;
};

TEST_F(RingViewTest, ShowsWhatTheOwnerWrote) {
  DeadLog log;
  log.stream = Stream(6000);
  log.committed = 5000;
  log.hi_stable = 3000;
  log.durable = 1000;
  Make(log);
  FileIdentity identity;
  uint64_t size = 0;
  ASSERT_TRUE(IdentifyPath(log_, &identity, &size).ok());
  EXPECT_EQ(view_->path(), ring_);
  EXPECT_TRUE(view_->target().Same(identity));
  EXPECT_EQ(view_->owner_pid(), static_cast<uint32_t>(getpid()));
  EXPECT_EQ(view_->committed(), 5000U);
  EXPECT_EQ(view_->hi_stable(), 3000U);
  EXPECT_EQ(view_->durable(), 1000U);
  EXPECT_FALSE(view_->closed());
  EXPECT_FALSE(view_->OwnerAlive());
  EXPECT_EQ(test::CaseOf(*view_), RingCase::kR3ProcessKilled);
}

TEST_F(RingViewTest, MissingRingIsNotFound) {
  EXPECT_EQ(RingView::Open(dir_ / "none.ring", &view_).code(), Status::Code::kNotFound);
  EXPECT_EQ(view_, nullptr);
}

TEST_F(RingViewTest, ViewersDoNotTakeEachOtherForOwners) {
  Make(DeadLog());
  std::unique_ptr<RingView> other;
  ASSERT_TRUE(RingView::Open(ring_, &other).ok());
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(view_->OwnerAlive());
    EXPECT_FALSE(other->OwnerAlive());
  }
}

TEST_F(RingViewTest, ViewSurvivesTheRingsRemoval) {
  DeadLog log;
  log.stream = Stream(6000);
  Make(log);
  ASSERT_EQ(unlink(ring_.c_str()), 0);
  EXPECT_EQ(test::CaseOf(*view_), RingCase::kR3ProcessKilled);
  EXPECT_TRUE(CopyOut(0, 6000, 6000) == log.stream);
}

TEST_F(RingViewTest, CopyOutStopsAtLimitLengthAndTheRingsEnds) {
  DeadLog log;
  log.stream = Stream(40000);  // four buffers of 4096: addresses 24576 and up are left
  log.hi_stable = 30000;
  Make(log);
  const Address oldest = 24576;
  EXPECT_TRUE(CopyOut(oldest, 40000, 40000) == log.stream.substr(oldest));
  EXPECT_TRUE(CopyOut(oldest, 40000, 33000) == log.stream.substr(oldest, 33000 - oldest));
  EXPECT_TRUE(CopyOut(30000, 5, 40000) == log.stream.substr(30000, 5));
  EXPECT_EQ(CopyOut(oldest - 1, 10, 40000), "") << "gone: the file has it";
  EXPECT_EQ(CopyOut(0, 10, 40000), "");
  EXPECT_EQ(CopyOut(40000, 10, 40000), "");
  EXPECT_EQ(CopyOut(39999, 10, 40000).size(), 1U);
  EXPECT_EQ(CopyOut(1ULL << 40, 10, 1ULL << 41), "");
}

TEST_F(RingViewTest, NeverOpenedBuffersHoldNothing) {
  DeadLog log;
  log.stream = Stream(5000);
  Make(log);
  EXPECT_EQ(CopyOut(8192, 10, 1 << 20), "");
  EXPECT_EQ(CopyOut(8191, 10, 1 << 20).size(), 1U) << "to the end of the second buffer";
}

// The flusher may not have got to it, or may be ahead: for any state a killed process can leave,
// and any range, a merged read gives the stream.
TEST_F(RingViewTest, MergedReadsGiveTheStreamWhereverTheBytesAre) {
  std::mt19937 random(20240501);
  for (int round = 0; round < 60; ++round) {
    DeadLog log;
    log.buffer_bytes = 4096 * (1 + random() % 3);
    log.buffer_count = 2 + random() % 5;
    log.stream = Stream(random() % 100000, random());
    const uint64_t ring_bytes = uint64_t{log.buffer_bytes} * log.buffer_count;
    // The ring still has everything from here on: the start of its oldest buffer.
    const uint64_t laps = (log.stream.size() + log.buffer_bytes - 1) / log.buffer_bytes;
    const Address oldest =
        laps <= log.buffer_count ? 0 : (laps - log.buffer_count) * log.buffer_bytes;
    log.hi_stable = oldest + random() % (log.stream.size() - oldest + 1);
    log.committed = log.hi_stable + random() % (log.stream.size() - log.hi_stable + 1);
    Make(log);
    ASSERT_EQ(test::CaseOf(*view_), RingCase::kR3ProcessKilled)
        << log.stream.size() << " " << log.hi_stable << " " << ring_bytes;
    for (int reads = 0; reads < 50; ++reads) {
      const Address from = random() % (log.committed + 10);
      const size_t length = random() % 40000;
      std::string bytes;
      const Status status = Merged(from, length, log.committed, &bytes);
      ASSERT_TRUE(status.ok()) << status.ToString();
      const std::string expected = from >= log.committed ? "" : log.Promised().substr(from, length);
      ASSERT_TRUE(bytes == expected) << from << "+" << length << " of " << log.committed;
    }
  }
}

TEST_F(RingViewTest, MergedReadOfAShortFileIsAnErrorAndNotAnEnd) {
  DeadLog log;
  log.stream = Stream(40000);
  log.hi_stable = 30000;
  Make(log);
  ASSERT_EQ(truncate(log_.c_str(), 10000), 0);
  std::string bytes;
  const Status status = Merged(0, 40000, 40000, &bytes);
  EXPECT_EQ(status.code(), Status::Code::kCorruption);
  EXPECT_NE(status.message().find(ring_), std::string::npos) << status.message();
  EXPECT_NE(status.message().find("10000"), std::string::npos) << status.message();
}

TEST_F(RingViewTest, MergedReadOfWhatTheRingHasLostIsAnErrorAndNotAnEnd) {
  DeadLog log;
  log.stream = Stream(40000);
  log.hi_stable = 10000;  // impossible for a real owner: the ring begins at 24576
  Make(log);
  std::string bytes;
  const Status status = Merged(10000, 100, 40000, &bytes);
  EXPECT_EQ(status.code(), Status::Code::kCorruption);
  EXPECT_EQ(test::CaseOf(*view_), RingCase::kR10NotUsed);
}

// Reserve leaves gaps: a buffer ends at a page, the next begins there.
TEST_F(RingViewTest, BuffersThatWereNotFilledEndWhereTheNextBegins) {
  DeadLog log;
  log.buffer_bytes = 16384;
  log.stream = Stream(60000);
  ring_ = log.MakeAt(log_);
  test::EditRing(ring_, [](RingHeader* header) {
    header->base[1].store(8192, std::memory_order_relaxed);  // buffer 0 was sealed after two pages
    header->base[2].store(8192 + 16384, std::memory_order_relaxed);
    header->base[3].store(8192 + 2 * 16384, std::memory_order_relaxed);
  });
  View();
  const std::string bytes = CopyOut(0, 100000, 8192 + 3 * 16384);
  ASSERT_EQ(bytes.size(), 8192U + 3 * 16384);
  EXPECT_TRUE(bytes == log.stream.substr(0, 8192) + log.stream.substr(16384, 43616) +
                           std::string(3 * 16384 - 43616, '\0'));
}

TEST_F(RingViewTest, AgreementLooksOnEitherSideOfTheWatermark) {
  DeadLog log;
  log.stream = Stream(12000);
  log.hi_stable = 5000;
  const struct {
    const char* name;
    Address at;
    char value;
    bool agrees;
  } edits[] = {
      {"below, in the watermark's page", 4999, 0, false},
      {"blank above", 5000, 0, true},
      {"foreign above", 5000, '!', false},
      {"foreign in a later page", 9000, '!', false},
      {"blank at the end", 11999, 0, true},
  };
  for (const auto& edit : edits) {
    SCOPED_TRACE(edit.name);
    DeadLog now = log;
    now.behind = log.stream.substr(5000);
    Make(now);
    std::string file = log.stream;
    file[edit.at] = edit.value == file[edit.at] ? '?' : edit.value;
    WriteFile(log_, file);
    bool agrees = !edit.agrees;
    ASSERT_TRUE(CheckAgreement(fd_.get(), log_, *view_, &agrees).ok());
    EXPECT_EQ(agrees, edit.agrees);
  }
}

}  // namespace
}  // namespace lss
