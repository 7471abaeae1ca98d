// Names that are drawn.
#include "lss/second_place/uuid.h"

#include <gtest/gtest.h>

#include <set>

namespace lss {
namespace {

TEST(UuidTest, NoTwoAreTheSame) {
  std::set<Uuid> drawn;
  for (int i = 0; i < 1000; ++i) {
    drawn.insert(DrawUuid());
  }
  EXPECT_EQ(drawn.size(), 1000U);
}

TEST(UuidTest, TextIsReadBack) {
  const Uuid uuid = {0x00, 0x9f, 0xff, 1, 2, 3};
  EXPECT_EQ(UuidText(uuid), "009fff01020300000000000000000000");
  Uuid read;
  ASSERT_TRUE(ParseUuid(UuidText(uuid), &read));
  EXPECT_EQ(read, uuid);
}

TEST(UuidTest, OtherTextIsNone) {
  Uuid uuid;
  EXPECT_FALSE(ParseUuid("", &uuid));
  EXPECT_FALSE(ParseUuid(std::string(31, 'a'), &uuid));
  EXPECT_FALSE(ParseUuid(std::string(33, 'a'), &uuid));
  EXPECT_FALSE(ParseUuid(std::string(32, 'g'), &uuid));
  EXPECT_FALSE(ParseUuid(std::string(32, 'A'), &uuid));
}

}  // namespace
}  // namespace lss
