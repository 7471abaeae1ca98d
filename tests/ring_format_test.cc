#include "lss/ring/ring_format.h"

#include <gtest/gtest.h>

namespace lss {
namespace {

TEST(RingFileName, IsTheInodeInHex) {
  EXPECT_EQ(RingFileName(FileIdentity{0, 0xa761a6, 0}), "0000000000a761a6.ring");
  EXPECT_EQ(RingFileName(FileIdentity{0, UINT64_MAX, 0}), "ffffffffffffffff.ring");
}

TEST(RingFileName, OfANamedStreamIsItsNameAndNeverAnInodes) {
  EXPECT_EQ(RingFileName(StreamId::Named({1, 0xa761a6})), "00000000000000010000000000a761a6.ring");
}

TEST(RingHeader, GivesBackTheStreamItWasMadeFor) {
  RingHeaderFixed fixed = {};
  const StreamId file = FileIdentity{3, 42, -7};
  StoreStreamId(file, &fixed);
  EXPECT_EQ(fixed.stream_kind, 0U) << "as in rings of before there were other kinds";
  EXPECT_EQ(fixed.format_version, 1U);
  EXPECT_EQ(fixed.device, 3U);
  EXPECT_EQ(fixed.inode, 42U);
  EXPECT_EQ(fixed.birth_time_ns, -7);
  EXPECT_TRUE(LoadStreamId(fixed).Same(file));
  const StreamId named = StreamId::Named({5, 6});
  StoreStreamId(named, &fixed);
  EXPECT_TRUE(LoadStreamId(fixed).Same(named));
  EXPECT_EQ(fixed.format_version, 2U) << "versions that know files only must leave it alone";
  EXPECT_FALSE(LoadStreamId(fixed).Same(file));
  fixed.stream_kind = 99;
  EXPECT_NE(LoadStreamId(fixed).kind, StreamId::Kind::kFile) << "a kind we do not know is no file";
}

}  // namespace
}  // namespace lss
