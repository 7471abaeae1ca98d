// The directory of rings: what is taken for one, whom it is made for, and what is opened in it.
#include "lss/ring/ring_place.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/support/files.h"
#include "tests/support/temp_dir.h"

namespace lss {
namespace {

using bloom_lfs::test::WriteFile;

class RingPlaceTest : public testing::Test {
 protected:
  uint32_t Mode() const {
    struct stat st = {};
    EXPECT_EQ(stat(path_.c_str(), &st), 0);
    return st.st_mode & 0777;
  }
  FileAccess Log(uint32_t mode) const { return {geteuid(), getegid(), mode}; }

  bloom_lfs::test::TempDir dir_;
  const std::string path_ = dir_ / ".bloom_lfs";
  RingPlace place_;
};

TEST_F(RingPlaceTest, OnlyADirectoryIsOne) {
  EXPECT_EQ(RingPlace::Open(path_, &place_).code(), Status::Code::kNotFound);
  WriteFile(path_, "a file");
  EXPECT_EQ(RingPlace::Open(path_, &place_).code(), Status::Code::kNotFound);
  EXPECT_FALSE(RingPlace::OpenOrCreate(path_, Log(0644), &place_).ok());
  ASSERT_EQ(unlink(path_.c_str()), 0);
  ASSERT_EQ(mkdir((dir_ / "elsewhere").c_str(), 0755), 0);
  ASSERT_EQ(symlink("elsewhere", path_.c_str()), 0);
  EXPECT_EQ(RingPlace::Open(path_, &place_).code(), Status::Code::kNotFound);
  EXPECT_FALSE(RingPlace::OpenOrCreate(path_, Log(0644), &place_).ok());
  ASSERT_EQ(unlink(path_.c_str()), 0);
  ASSERT_EQ(mkfifo(path_.c_str(), 0666), 0);
  EXPECT_EQ(RingPlace::Open(path_, &place_).code(), Status::Code::kNotFound);
}

TEST_F(RingPlaceTest, IsMadeForWhoeverMayReadTheLogsAndGrowsWithThem) {
  const mode_t before = umask(0);
  ASSERT_TRUE(RingPlace::OpenOrCreate(path_, Log(0600), &place_).ok());
  EXPECT_EQ(Mode(), 0700U);
  ASSERT_TRUE(RingPlace::OpenOrCreate(path_, Log(0644), &place_).ok());
  EXPECT_EQ(Mode(), 0755U);
  ASSERT_TRUE(RingPlace::OpenOrCreate(path_, Log(0600), &place_).ok());
  EXPECT_EQ(Mode(), 0755U);
  umask(before);
}

TEST_F(RingPlaceTest, OneThatOthersMayWriteIsRefusedWithItsRemedy) {
  ASSERT_EQ(mkdir(path_.c_str(), 0755), 0);
  ASSERT_EQ(chmod(path_.c_str(), 0777), 0);
  const Status status = RingPlace::OpenOrCreate(path_, Log(0644), &place_);
  EXPECT_EQ(status.code(), Status::Code::kPermissionDenied);
  EXPECT_NE(status.message().find(path_), std::string::npos) << status.message();
  EXPECT_NE(status.message().find("remove it"), std::string::npos) << status.message();
}

TEST_F(RingPlaceTest, RootMakesItForTheOwnerOfTheDatabase) {
  if (geteuid() != 0) {
    GTEST_SKIP() << "only root may give files away";
  }
  ASSERT_EQ(chown(dir_.path().c_str(), 65534, 65534), 0);
  ASSERT_TRUE(RingPlace::OpenOrCreate(path_, Log(0644), &place_).ok());
  EXPECT_EQ(place_.access().uid, 65534U);
  ASSERT_EQ(chown(path_.c_str(), 0, 0), 0) << "as if killed before it was given away";
  ASSERT_TRUE(RingPlace::OpenOrCreate(path_, Log(0644), &place_).ok());
  EXPECT_EQ(place_.access().uid, 65534U);
}

TEST_F(RingPlaceTest, NothingInItIsWaitedForAndNoLinkIsFollowed) {
  ASSERT_TRUE(RingPlace::OpenOrCreate(path_, Log(0644), &place_).ok());
  WriteFile(path_ + "/file", "bytes");
  ASSERT_EQ(mkfifo((path_ + "/fifo").c_str(), 0666), 0);
  ASSERT_EQ(symlink("file", (path_ + "/link").c_str()), 0);
  UniqueFd fd;
  bool regular = false;
  ASSERT_TRUE(place_.OpenFile("file", O_RDONLY, &fd, &regular).ok());
  EXPECT_TRUE(regular);
  ASSERT_TRUE(place_.OpenFile("fifo", O_RDONLY, &fd, &regular).ok());
  EXPECT_FALSE(regular);
  EXPECT_EQ(place_.OpenFile("link", O_RDONLY, &fd, &regular).code(), Status::Code::kNotFound);
  EXPECT_EQ(place_.OpenFile("none", O_RDONLY, &fd, &regular).code(), Status::Code::kNotFound);
  std::vector<std::string> names;
  ASSERT_TRUE(place_.List(&names).ok());
  std::sort(names.begin(), names.end());
  EXPECT_EQ(names, (std::vector<std::string>{"fifo", "file", "link"}));
  names.clear();
  ASSERT_TRUE(place_.List(&names).ok());
  EXPECT_EQ(names.size(), 3U) << "again from the start";
}

}  // namespace
}  // namespace lss
