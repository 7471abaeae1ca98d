// The plugin's voice: each thing once, wherever it was met.
#include "plugin/warning.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/standard_error.h"

namespace bloom_lfs {
namespace {

std::string SaidOf(const std::string& line) {
  test::CapturedStandardError standard_error;
  WarnOnce(line);
  return standard_error.Text();
}

TEST(WarnOnce, SaysALineOnce) {
  EXPECT_EQ(SaidOf("a line"), "bloom_lfs: a line\n");
  EXPECT_EQ(SaidOf("a line"), "");
  EXPECT_EQ(SaidOf("another line"), "bloom_lfs: another line\n");
}

TEST(WarnOnce, NamesTheFirstPlaceAndIsSilentAboutTheOthers) {
  EXPECT_EQ(SaidOf("no direct I/O [/db/1]"), "bloom_lfs: no direct I/O [/db/1]\n");
  EXPECT_EQ(SaidOf("no direct I/O [/db/2]"), "");
  EXPECT_EQ(SaidOf("no direct I/O"), "");
  EXPECT_EQ(SaidOf("no [brackets] at its end"), "bloom_lfs: no [brackets] at its end\n");
}

TEST(WarnOnce, AThousandThingsAreEnough) {
  for (int i = 0; i < 2000; ++i) {
    (void)SaidOf("thing " + std::to_string(i));
  }
  EXPECT_EQ(SaidOf("one more"), "");
}

}  // namespace
}  // namespace bloom_lfs
