#include "plugin/directory_id.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "tests/support/temp_dir.h"

namespace bloom_lfs {
namespace {

class DirectoryIdTest : public testing::Test {
 protected:
  DirectoryIdTest() {
    EXPECT_EQ(mkdir((dir_ / "db").c_str(), 0755), 0);
    EXPECT_EQ(symlink("db", (dir_ / "link").c_str()), 0);
  }
  test::TempDir dir_;
};

TEST_F(DirectoryIdTest, AnySpellingIsTheSame) {
  const DirectoryId id = DirectoryId::Of(dir_ / "db");
  ASSERT_TRUE(id.known());
  for (const char* const name : {"db", "db/", "link", ".//db/.", "db/../link"}) {
    EXPECT_TRUE(DirectoryId::Of(dir_ / name).Same(id)) << name;
  }
  EXPECT_FALSE(DirectoryId::Of(dir_.path()).Same(id));
}

TEST_F(DirectoryIdTest, StaysWithTheDirectoryNotWithItsName) {
  const DirectoryId id = DirectoryId::Of(dir_ / "db");
  ASSERT_EQ(rename((dir_ / "db").c_str(), (dir_ / "renamed").c_str()), 0);
  ASSERT_EQ(mkdir((dir_ / "db").c_str(), 0755), 0);
  EXPECT_TRUE(DirectoryId::Of(dir_ / "renamed").Same(id));
  EXPECT_FALSE(DirectoryId::Of(dir_ / "db").Same(id));
}

TEST_F(DirectoryIdTest, WhatIsNotThereIsTheSameAsNothing) {
  const DirectoryId missing = DirectoryId::Of(dir_ / "missing");
  EXPECT_FALSE(missing.known());
  EXPECT_FALSE(missing.Same(missing));
  EXPECT_FALSE(missing.Same(DirectoryId()));
  EXPECT_FALSE(DirectoryId::Of(dir_ / "db").Same(missing));
}

}  // namespace
}  // namespace bloom_lfs
