#include "lss/base/stream_id.h"

#include <gtest/gtest.h>

namespace lss {
namespace {

TEST(StreamId, FilesAreComparedAsFiles) {
  const StreamId id = FileIdentity{1, 42, 7};
  EXPECT_EQ(id.kind, StreamId::Kind::kFile);
  EXPECT_TRUE(id.Same(FileIdentity{1, 42, 7}));
  EXPECT_TRUE(id.Same(FileIdentity{2, 42, 7})) << "mounted elsewhere";
  EXPECT_FALSE(id.Same(FileIdentity{1, 42, 8}));
  EXPECT_FALSE(id.Same(FileIdentity{1, 43, 7}));
}

TEST(StreamId, NamesAreComparedWhole) {
  const StreamId id = StreamId::Named({1, 2});
  EXPECT_TRUE(id.Same(StreamId::Named({1, 2})));
  EXPECT_FALSE(id.Same(StreamId::Named({1, 3})));
  EXPECT_FALSE(id.Same(StreamId::Named({3, 2})));
}

TEST(StreamId, ANameIsNeverAFile) {
  EXPECT_FALSE(StreamId::Named({1, 42}).Same(FileIdentity{1, 42, 0}));
  EXPECT_FALSE(StreamId(FileIdentity{0, 0, 0}).Same(StreamId::Named({0, 0})));
}

}  // namespace
}  // namespace lss
