// The names of databases in a side log: what is kept, and what a damaged table still says.
#include "lss/second_place/side_labels.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <map>
#include <string>

#include "tests/support/memory_device.h"

namespace lss {
namespace {

using test::MemoryDevice;

constexpr Address kBegin = 8 * kPageBytes;

Uuid Database(uint32_t number) {
  Uuid database = {};
  database[0] = static_cast<uint8_t>(number);
  database[1] = static_cast<uint8_t>(number >> 8);
  database[15] = 1;
  return database;
}

class SideLabelsTest : public testing::Test {
 protected:
  SideLabelsTest() { EXPECT_TRUE(labels_.Format().ok()); }

  std::map<Uuid, std::string> ReadAgain() {
    SideLabels labels(&device_, kBegin);
    EXPECT_TRUE(labels.Read().ok());
    return labels.All();
  }

  MemoryDevice device_;
  SideLabels labels_{&device_, kBegin};
};

TEST_F(SideLabelsTest, NamesAreDurableWhenTheyAreSet) {
  ASSERT_TRUE(labels_.Set(Database(1), "/data/a").ok());
  ASSERT_TRUE(labels_.Set(Database(2), "/data/b").ok());
  ASSERT_TRUE(labels_.Set(Database(1), "/data/c").ok()) << "another one for the same";
  const std::map<Uuid, std::string> expected = {{Database(1), "/data/c"}, {Database(2), "/data/b"}};
  EXPECT_EQ(labels_.All(), expected);
  EXPECT_EQ(ReadAgain(), expected);
  size_t durable = 0;
  for (const MemoryDevice::Event& event : device_.Events()) {
    durable += event.call == test::DeviceCall::kWrite && event.kind == WriteKind::kDurable ? 1 : 0;
  }
  EXPECT_EQ(durable, 3U);
}

TEST_F(SideLabelsTest, RemovedNamesAreGoneAndTheirRoomIsUsedAgain) {
  ASSERT_TRUE(labels_.Set(Database(1), "one").ok());
  ASSERT_TRUE(labels_.Set(Database(2), "two").ok());
  ASSERT_TRUE(labels_.Remove(Database(1)).ok());
  ASSERT_TRUE(labels_.Remove(Database(9)).ok()) << "there is none";
  EXPECT_EQ(ReadAgain().size(), 1U);
  uint32_t number = 10;
  Status status;
  while (status.ok()) {
    status = labels_.Set(Database(number++), "more");
  }
  EXPECT_EQ(status.code(), Status::Code::kNoSpace);
  EXPECT_NE(status.message().find("trim"), std::string::npos) << status.ToString();
  EXPECT_EQ(ReadAgain().size(), kLabelsBytes / kLabelBytes);
  ASSERT_TRUE(labels_.Remove(Database(2)).ok());
  EXPECT_TRUE(labels_.Set(Database(number), "the last").ok());
}

TEST_F(SideLabelsTest, OfLongWordsTheEndIsKept) {
  const std::string words = std::string(3000, 'a') + "/the/end";
  ASSERT_TRUE(labels_.Set(Database(1), words).ok());
  const std::string kept = ReadAgain()[Database(1)];
  EXPECT_EQ(kept, SideLabels::Kept(words));
  EXPECT_EQ(kept.size(), SideLabels::kMostWords);
  EXPECT_EQ(kept.substr(kept.size() - 8), "/the/end");
  EXPECT_EQ(SideLabels::Kept("short"), "short");
}

TEST_F(SideLabelsTest, ADamagedNameIsLeftOutAndTheOthersAreNot) {
  ASSERT_TRUE(labels_.Set(Database(1), "one").ok());
  ASSERT_TRUE(labels_.Set(Database(2), "two").ok());
  std::string content = device_.Content();
  for (size_t at = kBegin; at < kBegin + 36; ++at) {
    SCOPED_TRACE(at);
    std::string bad = content;
    bad[at] = static_cast<char>(bad[at] ^ 0x40);
    MemoryDevice damaged;
    ASSERT_TRUE(damaged.Write({{bad.data(), bad.size()}}, 0, WriteKind::kPlain).ok());
    SideLabels labels(&damaged, kBegin);
    ASSERT_TRUE(labels.Read().ok());
    EXPECT_EQ(labels.All(), (std::map<Uuid, std::string>{{Database(2), "two"}}));
  }
}

TEST_F(SideLabelsTest, ATableThatIsCutOffSaysWhatItHas) {
  ASSERT_TRUE(labels_.Set(Database(1), "one").ok());
  std::string content = device_.Content().substr(0, kBegin + kPageBytes);
  MemoryDevice cut;
  ASSERT_TRUE(cut.Write({{content.data(), content.size()}}, 0, WriteKind::kPlain).ok());
  SideLabels labels(&cut, kBegin);
  EXPECT_TRUE(labels.Read().ok());
  EXPECT_EQ(labels.All().size(), 1U);
}

TEST_F(SideLabelsTest, ANameThatCannotBeWrittenIsNotThere) {
  device_.Fail({test::DeviceCall::kWrite, EIO});
  EXPECT_FALSE(labels_.Set(Database(1), "one").ok());
  EXPECT_TRUE(labels_.All().empty());
}

}  // namespace
}  // namespace lss
