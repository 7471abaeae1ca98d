// The line that a command draws while it is busy.
#include "plugin/tool/progress.h"

#include <gtest/gtest.h>

#include <string>

namespace bloom_lfs::tool {
namespace {

TEST(ProgressTest, SaysHowLongItTakes) {
  EXPECT_EQ(ProgressLine(0, 100, 0), "[" + std::string(30, ' ') + "]   0 %");
  EXPECT_EQ(ProgressLine(50, 100, 3),
            "[" + std::string(15, '=') + std::string(15, ' ') + "]  50 %, 3 s left");
  EXPECT_NE(ProgressLine(1, 100, 2).find("3 min 18 s left"), std::string::npos);
  EXPECT_NE(ProgressLine(200, 100, 2).find("100 %"), std::string::npos) << "files grow";
  EXPECT_NE(ProgressLine(0, 0, 0).find("100 %"), std::string::npos);
}

}  // namespace
}  // namespace bloom_lfs::tool
