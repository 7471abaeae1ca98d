#include "plugin/tail_read.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

namespace bloom_lfs {
namespace {

// Serves a file of ten bytes by the answers in order, then two bytes at a time.
class TailRead : public testing::Test {
 protected:
  TailPart Read(uint64_t offset, size_t n) {
    scratch_.assign(n, '?');
    const TailReadFunction read = [this](uint64_t at, size_t asked, char* scratch) -> int64_t {
      if (!answers_.empty()) {
        const int64_t answer = answers_.front();
        answers_.erase(answers_.begin());
        return answer;
      }
      const size_t got = at < file_.size() ? std::min<size_t>({2, asked, file_.size() - at}) : 0;
      std::memcpy(scratch, file_.data() + (got > 0 ? at : 0), got);
      return static_cast<int64_t>(got);
    };
    return ReadTailPart(read, offset, n, scratch_.data());
  }

  const std::string file_ = "0123456789";
  std::vector<int64_t> answers_;
  std::string scratch_;
};

TEST_F(TailRead, GoesOnWhereACallEndedEarly) {
  const TailPart part = Read(3, 5);
  EXPECT_EQ(part.size, 5U);
  EXPECT_EQ(part.error, 0);
  EXPECT_EQ(scratch_, "34567");
}

TEST_F(TailRead, EndsWithTheFile) {
  const TailPart part = Read(7, 5);
  EXPECT_EQ(part.size, 3U);
  EXPECT_EQ(part.error, 0);
  EXPECT_EQ(scratch_, "789??");
}

TEST_F(TailRead, AnInterruptedCallIsMadeAgain) {
  answers_ = {-EINTR, -EINTR};
  const TailPart part = Read(0, 2);
  EXPECT_EQ(part.size, 2U);
  EXPECT_EQ(part.error, 0);
  EXPECT_EQ(scratch_, "01");
}

TEST_F(TailRead, AnErrorEndsItAndSaysWhatWasRead) {
  answers_ = {2, -ENXIO};
  const TailPart part = Read(0, 6);
  EXPECT_EQ(part.size, 2U);
  EXPECT_EQ(part.error, ENXIO);
}

TEST_F(TailRead, MoreThanWasAskedForIsAnError) {
  answers_ = {7};
  const TailPart part = Read(0, 6);
  EXPECT_EQ(part.size, 0U);
  EXPECT_EQ(part.error, EIO);
}

}  // namespace
}  // namespace bloom_lfs
