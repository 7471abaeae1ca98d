#include "lss/base/posix_file.h"

#include <errno.h>
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

using bloom_lfs::test::ReadFile;
using bloom_lfs::test::TempDir;
using bloom_lfs::test::WriteFile;

TEST(DirectoryOf, FollowsThePath) {
  EXPECT_EQ(DirectoryOf("/db/000004.log"), "/db");
  EXPECT_EQ(DirectoryOf("db/sub/000004.log"), "db/sub");
  EXPECT_EQ(DirectoryOf("000004.log"), ".");
  EXPECT_EQ(DirectoryOf("/000004.log"), "/");
}

TEST(BaseNameOf, IsWhatFollowsTheLastSlash) {
  EXPECT_EQ(BaseNameOf("/db/000004.log"), "000004.log");
  EXPECT_EQ(BaseNameOf("000004.log"), "000004.log");
  EXPECT_EQ(BaseNameOf("/db/"), "");
}

TEST(ReadFully, GivesWhatIsThereAndNoMore) {
  const TempDir dir;
  WriteFile(dir / "file", "0123456789");
  const UniqueFd fd(open((dir / "file").c_str(), O_RDONLY | O_CLOEXEC));
  char bytes[32] = {};
  size_t read = 99;
  ASSERT_TRUE(ReadFully(fd.get(), "file", 3, 4, bytes, &read).ok());
  EXPECT_EQ(std::string(bytes, read), "3456");
  ASSERT_TRUE(ReadFully(fd.get(), "file", 8, 20, bytes, &read).ok());
  EXPECT_EQ(std::string(bytes, read), "89");
  ASSERT_TRUE(ReadFully(fd.get(), "file", 10, 20, bytes, &read).ok());
  EXPECT_EQ(read, 0U);
}

TEST(ReadFully, AnErrorNamesFileAndOffset) {
  const TempDir dir;
  const UniqueFd fd(open(dir.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  char byte = 0;
  size_t read = 0;
  const Status status = ReadFully(fd.get(), "some/file", 77, 1, &byte, &read);
  EXPECT_EQ(status.error_number(), EISDIR);
  EXPECT_NE(status.message().find("some/file at offset 77"), std::string::npos) << status.message();
}

TEST(ListDirectory, GivesNamesWithoutTheDots) {
  const TempDir dir;
  WriteFile(dir / "b", "");
  WriteFile(dir / ".hidden", "");
  ASSERT_EQ(mkdir((dir / "sub").c_str(), 0755), 0);
  std::vector<std::string> names;
  ASSERT_TRUE(ListDirectory(dir.path(), &names).ok());
  std::sort(names.begin(), names.end());
  EXPECT_EQ(names, (std::vector<std::string>{".hidden", "b", "sub"}));
}

TEST(ListDirectory, SaysWhatItCannotList) {
  const TempDir dir;
  WriteFile(dir / "file", "");
  std::vector<std::string> names;
  EXPECT_EQ(ListDirectory(dir / "none", &names).code(), Status::Code::kNotFound);
  EXPECT_EQ(ListDirectory(dir / "file", &names).error_number(), ENOTDIR);
  EXPECT_TRUE(names.empty());
}

TEST(WriteFully, WritesAllOrSaysWhereItStopped) {
  const TempDir dir;
  WriteFile(dir / "file", "0123456789");
  const UniqueFd fd(open((dir / "file").c_str(), O_RDWR | O_CLOEXEC));
  EXPECT_TRUE(WriteFully(fd.get(), "file", 8, "abcd").ok());
  EXPECT_EQ(ReadFile(dir / "file"), "01234567abcd");
  const UniqueFd full(open("/dev/full", O_WRONLY | O_CLOEXEC));
  const Status status = WriteFully(full.get(), "full", 0, "bytes");
  EXPECT_EQ(status.code(), Status::Code::kNoSpace);
  EXPECT_NE(status.message().find("full at offset 0"), std::string::npos) << status.message();
}

TEST(NameFile, GivesAFileItsNameOnce) {
  const TempDir dir;
  const UniqueFd fd = CreateUnnamed(dir.path());
  if (!fd.valid()) {
    GTEST_SKIP() << "this file system has no files without a name";
  }
  std::vector<std::string> names;
  ASSERT_TRUE(ListDirectory(dir.path(), &names).ok());
  EXPECT_TRUE(names.empty());
  ASSERT_EQ(write(fd.get(), "bytes", 5), 5);
  ASSERT_TRUE(NameFile(fd.get(), dir / "name"));
  EXPECT_EQ(ReadFile(dir / "name"), "bytes");
  const UniqueFd other = CreateUnnamed(dir.path());
  EXPECT_FALSE(NameFile(other.get(), dir / "name"));
  EXPECT_EQ(errno, EEXIST);
  EXPECT_EQ(ReadFile(dir / "name"), "bytes");
}

}  // namespace
}  // namespace lss
