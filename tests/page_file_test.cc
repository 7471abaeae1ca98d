// The file of a page store: made, recognised, locked.
#include "lss/pages/page_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "lss/base/page_buffer.h"
#include "tests/support/temp_dir.h"

namespace lss {
namespace {

namespace fs = std::filesystem;

class PageFileTest : public testing::Test {
 protected:
  Status Open(std::unique_ptr<PageFile>* file) {
    return PageFile::Open(path_, PageFileLayout::For(64ULL << 20, 4096), nullptr, file);
  }
  bloom_lfs::test::TempDir directory_;
  const std::string path_ = directory_ / "tier";
};

TEST_F(PageFileTest, IsMadeOnceAndRecognisedThen) {
  std::unique_ptr<PageFile> file;
  ASSERT_TRUE(Open(&file).ok());
  EXPECT_TRUE(file->fresh());
  const uint32_t id = file->store_id();
  EXPECT_EQ(fs::file_size(path_ + "/pages"), file->layout().file_bytes);
  struct stat64 facts = {};
  ASSERT_EQ(stat64((path_ + "/pages").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0600U);
  EXPECT_GE(static_cast<uint64_t>(facts.st_blocks) * 512, file->layout().file_bytes)
      << "all blocks are there";
  file.reset();
  ASSERT_TRUE(Open(&file).ok());
  EXPECT_FALSE(file->fresh());
  EXPECT_EQ(file->store_id(), id);
}

TEST_F(PageFileTest, ReadsWholePages) {
  std::unique_ptr<PageFile> file;
  ASSERT_TRUE(Open(&file).ok());
  PageBuffer buffer(2 * kPageBytes);
  EXPECT_TRUE(file->ReadPages(0, 2 * kPageBytes, buffer.data()).ok());
  const Status status =
      file->ReadPages(file->layout().file_bytes - kPageBytes, 2 * kPageBytes, buffer.data());
  EXPECT_EQ(status.code(), Status::Code::kCorruption);
}

TEST_F(PageFileTest, OneProcessHasIt) {
  std::unique_ptr<PageFile> file;
  ASSERT_TRUE(Open(&file).ok());
  std::unique_ptr<PageFile> second;
  EXPECT_TRUE(RingLock::IsBusy(Open(&second))) << "in this process";
  const pid_t child = fork();
  if (child == 0) {
    std::unique_ptr<PageFile> theirs;
    _exit(RingLock::IsBusy(Open(&theirs)) ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "in another";
  file.reset();
  EXPECT_TRUE(Open(&second).ok());
}

// Under `ulimit -f`, whose signal would end the process by default.
TEST_F(PageFileTest, AFileThatCannotBeMadeTakesNoRoom) {
  const pid_t child = fork();
  if (child == 0) {
    const rlimit limit = {32 << 20, 32 << 20};
    setrlimit(RLIMIT_FSIZE, &limit);
    std::unique_ptr<PageFile> file;
    const Status status = Open(&file);
    _exit(status.code() == Status::Code::kNoSpace ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  struct stat64 facts = {};
  ASSERT_EQ(stat64((path_ + "/pages").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_blocks, 0);
  std::unique_ptr<PageFile> file;
  EXPECT_TRUE(Open(&file).ok()) << "and later it can be made";
}

TEST_F(PageFileTest, NoLinkIsFollowed) {
  ASSERT_TRUE(fs::create_directory(path_));
  fs::create_symlink(directory_ / "elsewhere", path_ + "/pages");
  std::unique_ptr<PageFile> file;
  EXPECT_FALSE(Open(&file).ok());
  EXPECT_FALSE(fs::exists(directory_ / "elsewhere"));
}

TEST_F(PageFileTest, ErrorsNameTheFile) {
  std::unique_ptr<PageFile> file;
  const Status status =
      PageFile::Open("/no/such/place/tier", PageFileLayout::For(64ULL << 20, 4096), nullptr, &file);
  EXPECT_EQ(status.code(), Status::Code::kNotFound);
  EXPECT_NE(status.message().find("/no/such/place/tier"), std::string::npos) << status.message();
}

}  // namespace
}  // namespace lss
