// The FileSystem's own part, override by override: what goes through the store and what does not,
// what others find on the disk, and that dead writers' logs are whole before anybody changes them.
// live_file_test.cc compares the same calls with the stock FileSystem.

#include "plugin/bloom_lfs_file_system.h"

#include <gtest/gtest.h>
#include <rocksdb/convenience.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "plugin/live_stores.h"
#include "tests/support/dead_log.h"
#include "tests/support/deferred_work.h"
#include "tests/support/file_system_fixture.h"
#include "tests/support/files.h"
#include "tests/support/plugin_file_system.h"
#include "tests/support/standard_error.h"
#include "tests/support/temp_dir.h"

namespace bloom_lfs {
namespace {

using lss::test::DeadLog;
using lss::test::Exists;
using lss::test::Names;
using lss::test::Stream;
using rocksdb::FileOptions;
using rocksdb::FileSystem;
using rocksdb::FSWritableFile;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using test::BloomLfsFileSystemTest;
using test::ReadFile;
using test::TempDir;
using test::WriteFile;

// --- what is ours ---

TEST_F(BloomLfsFileSystemTest, OnlyLogsAndBlobFilesGetAStore) {
  for (const char* name : {"000007.sst", "MANIFEST-000007", "LOG", "000007.dbtmp"}) {
    const auto file = CreateWith(dir_ / name, "12345");
    EXPECT_EQ(LiveStores::FindPath(dir_ / name), nullptr) << name;
    ASSERT_TRUE(file->Close(io_, nullptr).ok());
    EXPECT_EQ(ReadFile(dir_ / name), "12345") << name;
  }
  EXPECT_FALSE(Exists(rings_));
  const auto log = CreateWith(log_, "12345");
  EXPECT_NE(LiveStores::FindPath(log_), nullptr);
  EXPECT_TRUE(Exists(rings_));
}

// A layer that encrypts, counts or moves files must see the log's bytes itself.
class CountingFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  CountingFileSystem() : FileSystemWrapper(FileSystem::Default()) {}
  static const char* kClassName() { return "CountingFileSystem"; }
  const char* Name() const override { return kClassName(); }
  IOStatus NewWritableFile(const std::string& path, const FileOptions& options,
                           std::unique_ptr<FSWritableFile>* result, IODebugContext* dbg) override {
    ++created;
    return target()->NewWritableFile(path, options, result, dbg);
  }
  int created = 0;
};

TEST_F(BloomLfsFileSystemTest, UnderAnotherTargetLogsAndBlobFilesPassThrough) {
  const auto target = std::make_shared<CountingFileSystem>();
  BloomLfsFileSystem fs(target);
  test::CapturedStandardError standard_error;
  ASSERT_TRUE(fs.PrepareOptions(rocksdb::ConfigOptions()).ok());
  const std::string said = standard_error.Text();
  EXPECT_NE(said.find("CountingFileSystem"), std::string::npos) << said;
  EXPECT_NE(said.find("directly over the default FileSystem"), std::string::npos) << said;
  for (const std::string& path : {log_, dir_ / "000007.blob"}) {
    std::unique_ptr<FSWritableFile> file;
    ASSERT_TRUE(fs.NewWritableFile(path, FileOptions(), &file, nullptr).ok());
    EXPECT_EQ(LiveStores::FindPath(path), nullptr);
    ASSERT_TRUE(file->Append("12345", io_, nullptr).ok());
    ASSERT_TRUE(file->Close(io_, nullptr).ok());
  }
  EXPECT_EQ(target->created, 2);
  EXPECT_EQ(Names(dir_.path()), (std::vector<std::string>{"000007.blob", "000007.log"}));
}

TEST_F(BloomLfsFileSystemTest, BadOptionsAreFoundWhenADatabaseIsOpened) {
  PluginOptions options;
  options.buffer_count = 1000;
  const BloomLfsFileSystem fs(FileSystem::Default(), options);
  const rocksdb::Status status =
      fs.ValidateOptions(rocksdb::DBOptions(), rocksdb::ColumnFamilyOptions());
  EXPECT_TRUE(status.IsInvalidArgument()) << status.ToString();
  EXPECT_NE(status.ToString().find("buffer_count"), std::string::npos) << status.ToString();
}

// --- listing ---

TEST_F(BloomLfsFileSystemTest, TheRingDirectoryIsNotListed) {
  const auto log = CreateWith(log_, std::string(5000, 'x'));
  WriteFile(dir_ / "CURRENT", "MANIFEST");
  std::vector<std::string> names = {"left over"};
  ASSERT_TRUE(fs_->GetChildren(dir_.path(), io_, &names, nullptr).ok());
  std::sort(names.begin(), names.end());
  EXPECT_EQ(names, (std::vector<std::string>{"000007.log", "CURRENT"}));
  std::vector<rocksdb::FileAttributes> attributes;
  ASSERT_TRUE(fs_->GetChildrenFileAttributes(dir_.path(), io_, &attributes, nullptr).ok());
  ASSERT_EQ(attributes.size(), 2U);
  for (const rocksdb::FileAttributes& file : attributes) {
    EXPECT_EQ(file.size_bytes, file.name == "CURRENT" ? 8U : 5000U) << file.name;
  }
}

TEST_F(BloomLfsFileSystemTest, AMissingDirectoryIsNotFoundAndListsNothing) {
  std::vector<std::string> names = {"left over"};
  const IOStatus status = fs_->GetChildren(dir_ / "missing", io_, &names, nullptr);
  EXPECT_TRUE(status.IsNotFound() || status.IsPathNotFound()) << status.ToString();
  EXPECT_TRUE(names.empty());
}

TEST_F(BloomLfsFileSystemTest, SizesAreThoseOfTheLogNotOfTheFile) {
  const auto log = Create(log_);
  uint64_t total = 0;
  for (const size_t length : {10U, 5000U, 30000U}) {  // in the ring; rounds of it, zeros behind
    ASSERT_TRUE(log->Append(Stream(length), io_, nullptr).ok());
    total += length;
    EXPECT_EQ(Size(log_), total);
  }
  ASSERT_TRUE(log->Close(io_, nullptr).ok());
  EXPECT_EQ(Size(log_), total);
  uint64_t size = 0;
  EXPECT_TRUE(fs_->GetFileSize(dir_ / "000001.log", io_, &size, nullptr).IsPathNotFound());
}

TEST_F(BloomLfsFileSystemTest, ALogInTheTrashHasItsSizeToo) {
  const DeadLog log = MakeDead(dir_ / "000007.log.trash");
  EXPECT_EQ(Size(dir_ / "000007.log.trash"), 6000U);
}

// --- before others change it, the file has its bytes ---

TEST_F(BloomLfsFileSystemTest, RenamingALiveLogBringsItsBytesToTheFile) {
  const auto log = CreateWith(log_, Stream(5000));
  const std::string moved = dir_ / "000008.log";
  ASSERT_TRUE(fs_->RenameFile(log_, moved, io_, nullptr).ok());
  EXPECT_TRUE(ReadFile(moved) == Stream(5000));
  ASSERT_TRUE(log->Append("more", io_, nullptr).ok());
  EXPECT_EQ(Size(moved), 5004U);
  ASSERT_TRUE(log->Close(io_, nullptr).ok());
  EXPECT_TRUE(ReadFile(moved) == Stream(5000) + "more");
  EXPECT_FALSE(Exists(log_));
}

TEST_F(BloomLfsFileSystemTest, LinkingALiveLogBringsItsBytesToTheFile) {
  const auto log = CreateWith(log_, Stream(50000));
  ASSERT_TRUE(fs_->LinkFile(log_, dir_ / "000008.log", io_, nullptr).ok());
  EXPECT_TRUE(ReadFile(dir_ / "000008.log") == Stream(50000));
}

#if BLOOM_LFS_HAS_SYNC_FILE
TEST_F(BloomLfsFileSystemTest, SyncingALiveLogByItsPathBringsItsBytesToTheFile) {
  const auto log = CreateWith(log_, "12345");
  ASSERT_TRUE(fs_->SyncFile(log_, FileOptions(), io_, /*use_fsync=*/false, nullptr).ok());
  EXPECT_EQ(ReadFile(log_), "12345");
  ASSERT_TRUE(log->Append("678", io_, nullptr).ok());
  ASSERT_TRUE(log->Close(io_, nullptr).ok());
  EXPECT_EQ(ReadFile(log_), "12345678");
}
#endif

TEST_F(BloomLfsFileSystemTest, ALiveLogIsNotTruncatedByPath) {
  const auto log = CreateWith(log_, Stream(5000));
  EXPECT_TRUE(fs_->Truncate(log_, 5000, io_, nullptr).ok());
  const IOStatus status = fs_->Truncate(log_, 100, io_, nullptr);
  EXPECT_TRUE(status.IsNotSupported()) << status.ToString();
  EXPECT_NE(status.ToString().find(log_), std::string::npos) << status.ToString();
  EXPECT_NE(status.ToString().find("close it first"), std::string::npos) << status.ToString();
  EXPECT_EQ(Size(log_), 5000U);
  ASSERT_TRUE(log->Close(io_, nullptr).ok());
  // From here on it is a file like any other.
  EXPECT_EQ(fs_->Truncate(log_, 5000, io_, nullptr).code(),
            FileSystem::Default()->Truncate(log_, 5000, io_, nullptr).code());
  EXPECT_TRUE(ReadFile(log_) == Stream(5000));
}

TEST_F(BloomLfsFileSystemTest, EveryChangeOfADeadLogFindsItWhole) {
  using Change = void (*)(BloomLfsFileSystem*, const std::string&, const TempDir&);
  const struct {
    const char* name;
    Change change;
    const char* result;  // where the log's bytes are afterwards
  } changes[] = {
      {"ReopenWritableFile",
       [](BloomLfsFileSystem* fs, const std::string& log, const TempDir&) {
         std::unique_ptr<FSWritableFile> file;
         ASSERT_TRUE(fs->ReopenWritableFile(log, FileOptions(), &file, nullptr).ok());
         ASSERT_TRUE(file->Close(IOOptions(), nullptr).ok());
       },
       "000007.log"},
      {"NewRandomRWFile",
       [](BloomLfsFileSystem* fs, const std::string& log, const TempDir&) {
         std::unique_ptr<rocksdb::FSRandomRWFile> file;
         ASSERT_TRUE(fs->NewRandomRWFile(log, FileOptions(), &file, nullptr).ok());
       },
       "000007.log"},
      {"NewMemoryMappedFileBuffer",
       [](BloomLfsFileSystem* fs, const std::string& log, const TempDir&) {
         std::unique_ptr<rocksdb::MemoryMappedFileBuffer> buffer;
         ASSERT_TRUE(fs->NewMemoryMappedFileBuffer(log, &buffer).ok());
       },
       "000007.log"},
      {"RenameFile",
       [](BloomLfsFileSystem* fs, const std::string& log, const TempDir& dir) {
         ASSERT_TRUE(fs->RenameFile(log, dir / "elsewhere", IOOptions(), nullptr).ok());
       },
       "elsewhere"},
      {"LinkFile",
       [](BloomLfsFileSystem* fs, const std::string& log, const TempDir& dir) {
         ASSERT_TRUE(fs->LinkFile(log, dir / "elsewhere", IOOptions(), nullptr).ok());
       },
       "elsewhere"},
      {"Truncate",
       [](BloomLfsFileSystem* fs, const std::string& log, const TempDir&) {
         EXPECT_EQ(fs->Truncate(log, 6000, IOOptions(), nullptr).code(),
                   FileSystem::Default()->Truncate(log, 6000, IOOptions(), nullptr).code());
       },
       "000007.log"},
      {"NewWritableFile of another log",
       [](BloomLfsFileSystem* fs, const std::string&, const TempDir& dir) {
         std::unique_ptr<FSWritableFile> file;
         ASSERT_TRUE(fs->NewWritableFile(dir / "000009.log", FileOptions(), &file, nullptr).ok());
       },
       "000007.log"},
      {"NewWritableFile of a table",
       [](BloomLfsFileSystem* fs, const std::string&, const TempDir& dir) {
         std::unique_ptr<FSWritableFile> file;
         ASSERT_TRUE(fs->NewWritableFile(dir / "000009.sst", FileOptions(), &file, nullptr).ok());
       },
       "000007.log"},
      {"RenameFile to numbered options",
       [](BloomLfsFileSystem* fs, const std::string&, const TempDir& dir) {
         WriteFile(dir / "temporary", "");
         ASSERT_TRUE(
             fs->RenameFile(dir / "temporary", dir / "OPTIONS-000009", IOOptions(), nullptr).ok());
       },
       "000007.log"},
      {"DeleteFile of another log",
       [](BloomLfsFileSystem* fs, const std::string&, const TempDir& dir) {
         WriteFile(dir / "000003.log", "");
         ASSERT_TRUE(fs->DeleteFile(dir / "000003.log", IOOptions(), nullptr).ok());
       },
       "000007.log"},
      {"RenameFile over another log",
       [](BloomLfsFileSystem* fs, const std::string&, const TempDir& dir) {
         WriteFile(dir / "temporary", "");
         ASSERT_TRUE(
             fs->RenameFile(dir / "temporary", dir / "000003.log", IOOptions(), nullptr).ok());
       },
       "000007.log"},
  };
  for (const auto& change : changes) {
    SCOPED_TRACE(change.name);
    const TempDir dir;
    const DeadLog log = MakeDead(dir / "000007.log");
    change.change(fs_.get(), dir / "000007.log", dir);
    EXPECT_TRUE(ReadFile(dir / change.result) == log.Promised());
    EXPECT_FALSE(Exists(dir / lss::kRingDirectoryName)) << "its ring has done its work";
  }
}

TEST_F(BloomLfsFileSystemTest, ALogOfTheSameNameStartsEmptyAndTheDeadRingGoes) {
  MakeDead(log_);
  const auto log = CreateWith(log_, "new");
  EXPECT_EQ(Size(log_), 3U);
  EXPECT_EQ(Names(rings_).size(), 1U);
  ASSERT_TRUE(log->Close(io_, nullptr).ok());
  EXPECT_EQ(ReadFile(log_), "new");
  EXPECT_FALSE(Exists(rings_));
}

// --- directories ---

TEST_F(BloomLfsFileSystemTest, ARenamedDirectoryTakesItsDeadLogsAlong) {
  const std::string db = dir_ / "db";
  ASSERT_EQ(mkdir(db.c_str(), 0755), 0);
  const DeadLog dead = MakeDead(db + "/000007.log");
  const IOStatus status = fs_->RenameFile(db, dir_ / "moved", io_, nullptr);
  ASSERT_TRUE(status.ok()) << status.ToString();
  EXPECT_EQ(Size(dir_ / "moved/000007.log"), dead.stream.size());
  EXPECT_FALSE(Exists(db));
}

// --- where no ring can be made ---

TEST_F(BloomLfsFileSystemTest, WithoutARingLogsAreWrittenTheStockWay) {
  const auto before = CreateWith(dir_ / "000006.log", Stream(500));
  const std::string aside = dir_ / "rings";
  ASSERT_EQ(rename(rings_.c_str(), aside.c_str()), 0);
  WriteFile(rings_, "a file where the directory should be");
  test::CapturedStandardError standard_error;
  const auto log = CreateWith(log_, "12345");
  const std::string said = standard_error.Text();
  EXPECT_EQ(LiveStores::FindPath(log_), nullptr);
  EXPECT_NE(said.find("stock way"), std::string::npos) << said;
  EXPECT_NE(said.find(rings_), std::string::npos) << said;
  ASSERT_TRUE(log->Close(io_, nullptr).ok());
  EXPECT_EQ(ReadFile(log_), "12345");
  EXPECT_TRUE(ReadFile(dir_ / "000006.log") == Stream(500))
      << "older logs do not depend on their rings any more";
  ASSERT_EQ(unlink(rings_.c_str()), 0);
  ASSERT_EQ(rename(aside.c_str(), rings_.c_str()), 0);
}

TEST_F(BloomLfsFileSystemTest, AnImpossiblePathIsTheStockError) {
  ASSERT_EQ(mkdir(log_.c_str(), 0755), 0);
  std::unique_ptr<FSWritableFile> file;
  const IOStatus ours = fs_->NewWritableFile(log_, FileOptions(), &file, nullptr);
  const IOStatus stock =
      FileSystem::Default()->NewWritableFile(log_, FileOptions(), &file, nullptr);
  EXPECT_FALSE(ours.ok());
  EXPECT_EQ(ours.code(), stock.code()) << ours.ToString() << "; " << stock.ToString();
  EXPECT_NE(ours.ToString().find(log_), std::string::npos) << ours.ToString();
  const IOStatus missing =
      fs_->NewWritableFile(dir_ / "missing/000007.log", FileOptions(), &file, nullptr);
  EXPECT_TRUE(missing.IsPathNotFound()) << missing.ToString();
  EXPECT_FALSE(Exists(dir_ / "missing"));
}

}  // namespace
}  // namespace bloom_lfs
