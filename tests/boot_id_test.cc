#include "lss/base/boot_id.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <string>

namespace lss {
namespace {

TEST(BootId, IsTheKernels) {
  std::ifstream in("/proc/sys/kernel/random/boot_id");
  std::string text;
  ASSERT_TRUE(std::getline(in, text));
  text.erase(std::remove(text.begin(), text.end(), '-'), text.end());
  ASSERT_EQ(text.size(), 32U);
  for (size_t i = 0; i < 16; ++i) {
    EXPECT_EQ(BootId()[i], std::stoul(text.substr(2 * i, 2), nullptr, 16)) << "byte " << i;
  }
}

}  // namespace
}  // namespace lss
