#include "lss/base/unique_fd.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <utility>

namespace lss {
namespace {

TEST(UniqueFd, ClosesOnceAndMoves) {
  int raw = open("/dev/null", O_RDONLY | O_CLOEXEC);
  ASSERT_GE(raw, 0);
  {
    UniqueFd first(raw);
    UniqueFd second(std::move(first));
    EXPECT_FALSE(first.valid());  // NOLINT(bugprone-use-after-move)
    EXPECT_EQ(second.get(), raw);
    UniqueFd third;
    third = std::move(second);
    EXPECT_EQ(third.get(), raw);
    EXPECT_NE(fcntl(raw, F_GETFD), -1) << "moving does not close";
  }
  EXPECT_EQ(fcntl(raw, F_GETFD), -1);
  raw = open("/dev/null", O_RDONLY | O_CLOEXEC);
  UniqueFd released(raw);
  EXPECT_EQ(released.Release(), raw);
  released.Reset();
  EXPECT_NE(fcntl(raw, F_GETFD), -1);
  close(raw);
}

TEST(UniqueFd, AssigningClosesWhatWasHeld) {
  const int first = open("/dev/null", O_RDONLY | O_CLOEXEC);
  const int second = open("/dev/null", O_RDONLY | O_CLOEXEC);
  UniqueFd held(first);
  held = UniqueFd(second);
  EXPECT_EQ(fcntl(first, F_GETFD), -1);
  EXPECT_EQ(held.get(), second);
}

}  // namespace
}  // namespace lss
