// Which file is it? By inode and birth time, whatever its name.

#include "lss/base/file_identity.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include "lss/base/unique_fd.h"
#include "tests/support/files.h"
#include "tests/support/temp_dir.h"

namespace lss {
namespace {

using bloom_lfs::test::ReadFile;
using bloom_lfs::test::TempDir;
using bloom_lfs::test::WriteFile;

FileIdentity Identify(const std::string& path) {
  FileIdentity identity;
  uint64_t size = 0;
  const Status status = IdentifyPath(path, &identity, &size);
  EXPECT_TRUE(status.ok()) << status.ToString();
  return identity;
}

class FileIdentityTest : public testing::Test {
 protected:
  FileIdentityTest() { WriteFile(file_, "12345"); }
  TempDir dir_;
  const std::string file_ = dir_ / "file";
};

TEST_F(FileIdentityTest, AgreesWithTheKernel) {
  FileIdentity identity;
  uint64_t size = 0;
  ASSERT_TRUE(IdentifyPath(file_, &identity, &size).ok());
  struct stat st = {};
  ASSERT_EQ(stat(file_.c_str(), &st), 0);
  EXPECT_EQ(identity.inode, st.st_ino);
  EXPECT_EQ(identity.device, st.st_dev);
  EXPECT_EQ(size, 5U);
}

TEST_F(FileIdentityTest, SurvivesRenamesLinksWritesAndTruncation) {
  const FileIdentity before = Identify(file_);
  ASSERT_EQ(link(file_.c_str(), (dir_ / "hard").c_str()), 0);
  ASSERT_EQ(symlink("file", (dir_ / "soft").c_str()), 0);
  EXPECT_TRUE(before.SameFile(Identify(dir_ / "hard")));
  EXPECT_TRUE(before.SameFile(Identify(dir_ / "soft")));
  EXPECT_TRUE(before.SameFile(Identify(dir_.path() + "//./file")));
  WriteFile(file_, "other bytes, emptied first");
  EXPECT_TRUE(before.SameFile(Identify(file_)));
  ASSERT_EQ(rename(file_.c_str(), (dir_ / "renamed").c_str()), 0);
  EXPECT_TRUE(before.SameFile(Identify(dir_ / "renamed")));
}

TEST_F(FileIdentityTest, ACopyIsAnotherFile) {
  WriteFile(dir_ / "copy", ReadFile(file_));
  EXPECT_FALSE(Identify(file_).SameFile(Identify(dir_ / "copy")));
}

TEST_F(FileIdentityTest, AReplacedFileIsAnotherFile) {
  const FileIdentity before = Identify(file_);
  WriteFile(dir_ / "new", "12345");
  ASSERT_EQ(rename((dir_ / "new").c_str(), file_.c_str()), 0);
  EXPECT_FALSE(before.SameFile(Identify(file_)));
}

// ext4 hands an inode number out again at once; without the birth time a new log would be taken
// for a dead one.
TEST_F(FileIdentityTest, AReusedInodeNumberIsAnotherFile) {
  bool reused = false;
  for (int i = 0; i < 50 && !reused; ++i) {
    const FileIdentity before = Identify(file_);
    if (before.birth_time_ns == 0) {
      GTEST_SKIP() << "this file system has no birth times";
    }
    ASSERT_EQ(unlink(file_.c_str()), 0);
    WriteFile(file_, "12345");
    const FileIdentity after = Identify(file_);
    reused = after.inode == before.inode;
    EXPECT_FALSE(before.SameFile(after)) << "inode " << after.inode;
  }
  if (!reused) {
    GTEST_SKIP() << "this file system does not reuse inode numbers at once";
  }
}

TEST_F(FileIdentityTest, OpenFileKeepsItsIdentityWithoutAName) {
  const UniqueFd fd(open(file_.c_str(), O_RDONLY | O_CLOEXEC));
  const FileIdentity named = Identify(file_);
  ASSERT_EQ(unlink(file_.c_str()), 0);
  FileIdentity identity;
  uint64_t size = 0;
  ASSERT_TRUE(IdentifyFd(fd.get(), file_, &identity, &size).ok());
  EXPECT_TRUE(named.SameFile(identity));
  EXPECT_EQ(size, 5U);
}

TEST_F(FileIdentityTest, MissingFileIsNotFoundAndNamed) {
  FileIdentity identity;
  uint64_t size = 0;
  const Status status = IdentifyPath(dir_ / "missing", &identity, &size);
  EXPECT_EQ(status.code(), Status::Code::kNotFound);
  EXPECT_NE(status.message().find(dir_ / "missing"), std::string::npos) << status.message();
}

TEST(SameFile, ComparesDevicesOnlyWithoutBirthTimes) {
  const struct {
    FileIdentity a;
    FileIdentity b;
    bool same;
  } pairs[] = {
      {{1, 10, 500}, {1, 10, 500}, true},  {{1, 10, 500}, {2, 10, 500}, true},
      {{1, 10, 500}, {1, 10, 501}, false}, {{1, 10, 500}, {1, 11, 500}, false},
      {{1, 10, 0}, {1, 10, 0}, true},      {{1, 10, 0}, {2, 10, 0}, false},
      {{1, 10, 0}, {1, 10, 500}, false},   {{1, 10, 500}, {1, 10, 0}, false},
  };
  for (const auto& pair : pairs) {
    EXPECT_EQ(pair.a.SameFile(pair.b), pair.same)
        << pair.a.device << "/" << pair.a.inode << "/" << pair.a.birth_time_ns << " and "
        << pair.b.device << "/" << pair.b.inode << "/" << pair.b.birth_time_ns;
  }
}

}  // namespace
}  // namespace lss
