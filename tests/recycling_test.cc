// ReuseWritableFile, which RocksDB calls with recycle_log_file_num > 0.
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>

#include "plugin/bloom_lfs_file_system.h"
#include "tests/support/child_process.h"
#include "tests/support/dead_log.h"
#include "tests/support/files.h"
#include "tests/support/plugin_file_system.h"
#include "tests/support/refusing_kernel.h"
#include "tests/support/temp_dir.h"

namespace bloom_lfs {
namespace {

using lss::test::Exists;
using lss::test::Stream;
using rocksdb::FileOptions;
using rocksdb::FSWritableFile;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using test::ChildProcess;
using test::NewFileSystem;
using test::ReadFile;
using test::RegisterChild;
using test::SmallRings;
using test::TempDir;
using test::WriteFile;

class RecyclingTest : public testing::Test {
 protected:
  IOStatus Reuse(const std::string& path, const std::string& old_path) {
    return fs_->ReuseWritableFile(path, old_path, test::LogOptions(*fs_), &log_, nullptr);
  }
  const TempDir dir_;
  const std::string old_path_ = dir_ / "000007.log";
  const std::string path_ = dir_ / "000009.log";
  const IOOptions io_;
  const std::unique_ptr<BloomLfsFileSystem> fs_ = NewFileSystem(SmallRings());
  std::unique_ptr<FSWritableFile> log_;
};

TEST_F(RecyclingTest, TakesTheOldNameAwayAndStartsEmpty) {
  std::unique_ptr<FSWritableFile> old_log;
  ASSERT_TRUE(fs_->NewWritableFile(old_path_, test::LogOptions(*fs_), &old_log, nullptr).ok());
  ASSERT_TRUE(old_log->Append(Stream(5000), io_, nullptr).ok());
  ASSERT_TRUE(Reuse(path_, old_path_).ok());
  EXPECT_FALSE(Exists(old_path_));
  EXPECT_EQ(log_->GetFileSize(io_, nullptr), 0U);
  ASSERT_TRUE(log_->Append("new", io_, nullptr).ok());
  ASSERT_TRUE(old_log->Append("late", io_, nullptr).ok()) << "harmless: its file has no name";
  ASSERT_TRUE(old_log->Close(io_, nullptr).ok());
  ASSERT_TRUE(log_->Close(io_, nullptr).ok());
  EXPECT_EQ(ReadFile(path_), "new");
}

TEST_F(RecyclingTest, OfAMissingLogFails) {
  EXPECT_TRUE(Reuse(path_, old_path_).IsPathNotFound());
  EXPECT_EQ(log_, nullptr);
  EXPECT_FALSE(Exists(path_));
}

TEST_F(RecyclingTest, OfOtherFilesIsTheTargetsBusiness) {
  WriteFile(dir_ / "a.sst", "12345");
  ASSERT_TRUE(Reuse(dir_ / "b.sst", dir_ / "a.sst").ok());
  EXPECT_EQ(ReadFile(dir_ / "b.sst"), "12345") << "old bytes stay";
}

// --- killed on the way ---

const RegisterChild reuse("reuse", [](const std::vector<std::string>& args) {
  const auto fs = NewFileSystem(SmallRings());
  std::unique_ptr<FSWritableFile> log;
  const FileOptions options = test::LogOptions(*fs);
  lss::test::DieAtSystemCall(std::stol(args[2]));
  const IOStatus status = fs->ReuseWritableFile(args[0], args[1], options, &log, nullptr);
  _exit(status.ok() ? 0 : 1);  // LeakSanitizer makes these system calls too, and hangs
  return 1;
});

// A newest log with the records of its former life is what recovery must never meet.
TEST_F(RecyclingTest, KilledAnywhereTheNewNameNeverHasOldRecords) {
  int died = 0;
  for (const long call :
       {SYS_open, SYS_openat, SYS_rename, SYS_renameat, SYS_renameat2, SYS_link, SYS_linkat,
        SYS_unlink, SYS_unlinkat, SYS_mkdir, SYS_flock, SYS_ftruncate, SYS_fallocate, SYS_mmap}) {
    WriteFile(old_path_, Stream(5000));
    std::filesystem::remove(path_);
    ChildProcess child("reuse", {path_, old_path_, std::to_string(call)});
    died += child.Wait() == 0 ? 0 : 1;
    EXPECT_TRUE(!Exists(path_) || ReadFile(path_).empty()) << "killed at system call " << call;
    EXPECT_TRUE(Exists(path_) || Exists(old_path_)) << "killed at system call " << call;
  }
  EXPECT_GE(died, 5) << "too few of these calls are made for the test to mean anything";
}

}  // namespace
}  // namespace bloom_lfs
