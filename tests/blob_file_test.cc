// Blob files through the FileSystem: carried in TailLocalized mode while they are written, stock's
// own afterwards.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "lss/ring/ring_budget.h"
#include "plugin/blob_format.h"
#include "plugin/bloom_lfs_file_system.h"
#include "plugin/default_runtime.h"
#include "plugin/live_stores.h"
#include "tests/support/child_process.h"
#include "tests/support/database.h"
#include "tests/support/dead_log.h"
#include "tests/support/deferred_work.h"
#include "tests/support/files.h"
#include "tests/support/plugin_file_system.h"
#include "tests/support/standard_error.h"
#include "tests/support/temp_dir.h"
#include "tests/support/workload.h"

namespace bloom_lfs::test {
namespace {

using lss::test::DeadLog;
using lss::test::Exists;
using lss::test::Names;
using rocksdb::FileOptions;
using rocksdb::FileSystem;
using rocksdb::FSRandomAccessFile;
using rocksdb::FSWritableFile;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

uint64_t SizeOnDisk(const std::string& path) {
  struct stat st = {};
  return stat(path.c_str(), &st) == 0 ? static_cast<uint64_t>(st.st_size) : 0;
}

uint64_t BytesOnDisk(const std::string& path) {
  struct stat st = {};
  return stat(path.c_str(), &st) == 0 ? static_cast<uint64_t>(st.st_blocks) * 512 : 0;
}

// Pages of the file that the kernel holds in memory.
size_t PagesInCache(const std::string& path) {
  const size_t size = SizeOnDisk(path);
  const int fd = open(path.c_str(), O_RDONLY);
  void* mapping = mmap(nullptr, size, PROT_READ, MAP_SHARED, fd, 0);
  std::vector<unsigned char> resident((size + 4095) / 4096);
  EXPECT_EQ(mincore(mapping, size, resident.data()), 0);
  munmap(mapping, size);
  close(fd);
  return static_cast<size_t>(std::count_if(resident.begin(), resident.end(),
                                           [](unsigned char c) { return (c & 1) != 0; }));
}

// As far as the plugin looks into a file that is written.
std::string BlobFileHeader() {
  std::string header(blob_format::kHeaderBytes, '\0');
  std::memcpy(header.data(), &blob_format::kMagic, 4);
  std::memcpy(header.data() + 4, &blob_format::kVersion, 4);
  return header;
}

std::string BlobRecord(uint64_t value_bytes) {
  std::string record(blob_format::kRecordHeaderBytes + value_bytes, 'v');
  std::memset(record.data(), 0, blob_format::kRecordHeaderBytes);
  std::memcpy(record.data() + 8, &value_bytes, sizeof(value_bytes));
  return record;
}

class BlobFileTest : public testing::Test {
 protected:
  BlobFileTest() { MakeFileSystem(PluginOptions()); }
  void MakeFileSystem(const PluginOptions& options) { fs_ = test::NewFileSystem(options); }
  std::unique_ptr<FSWritableFile> Create(const FileOptions& options = {}) {
    return test::CreateFile(fs_.get(), blob_, options);
  }
  std::unique_ptr<FSRandomAccessFile> OpenForReading(const FileOptions& options = {}) {
    std::unique_ptr<FSRandomAccessFile> file;
    const IOStatus status = fs_->NewRandomAccessFile(blob_, options, &file, nullptr);
    EXPECT_TRUE(status.ok()) << status.ToString();
    return file;
  }
  static std::string Read(FSRandomAccessFile* file, uint64_t offset, size_t n) {
    std::string bytes(n, '\0');
    Slice result;
    EXPECT_TRUE(file->Read(offset, n, IOOptions(), &result, bytes.data(), nullptr).ok());
    return result.ToString();
  }

  const TempDir dir_;
  const std::string blob_ = dir_ / "000012.blob";
  const std::string rings_ = dir_ / lss::kRingDirectoryName;
  const IOOptions io_;
  std::unique_ptr<BloomLfsFileSystem> fs_;
};

TEST_F(BlobFileTest, EveryAppendIsReadableAtOnceAlsoWhatTheRingHasLongHandedOn) {
  const auto file = Create();
  const auto reader = OpenForReading();
  std::string written;
  for (const size_t n : {30UL, 100000UL, 3000000UL, 1UL, 9000000UL, 32UL}) {
    const std::string bytes = MakeValue(n, n);
    ASSERT_TRUE(file->Append(bytes, io_, nullptr).ok());
    written += bytes;
    uint64_t size = 0;
    ASSERT_TRUE(fs_->GetFileSize(blob_, io_, &size, nullptr).ok());
    EXPECT_EQ(size, written.size());
    EXPECT_TRUE(Read(reader.get(), 0, written.size() + 1) == written);
    EXPECT_TRUE(Read(OpenForReading().get(), 0, written.size()) == written);
  }
  const StorePtr store = LiveStores::FindPath(blob_);
  ASSERT_NE(store, nullptr);
  EXPECT_GT(store->hi_stable(), 0U) << "more than a ring was written";
  ASSERT_TRUE(file->Close(io_, nullptr).ok());
  EXPECT_TRUE(ReadFile(blob_) == written);
  EXPECT_TRUE(Read(reader.get(), 0, written.size() + 1) == written) << "an old handle goes on";
}

TEST_F(BlobFileTest, ASyncedFileEndsWhereItsBytesDoForEverybody) {
  const auto file = Create();
  const std::string bytes = MakeValue(1, 5'000'001);
  ASSERT_TRUE(file->Append(bytes, io_, nullptr).ok());
  ASSERT_TRUE(file->Sync(io_, nullptr).ok());
  EXPECT_EQ(SizeOnDisk(blob_), bytes.size());
  EXPECT_TRUE(ReadFile(blob_) == bytes);
  ASSERT_TRUE(file->Append("more", io_, nullptr).ok());
  ASSERT_TRUE(file->Sync(io_, nullptr).ok());
  EXPECT_TRUE(ReadFile(blob_) == bytes + "more");
}

TEST_F(BlobFileTest, AfterCloseTheWrappedFileSystemReads) {
  const auto file = Create();
  ASSERT_TRUE(file->Append(MakeValue(1, 100000), io_, nullptr).ok());
  ASSERT_TRUE(file->Sync(io_, nullptr).ok());
  ASSERT_TRUE(file->Close(io_, nullptr).ok());
  FileOptions direct;
  direct.use_direct_reads = true;
  EXPECT_TRUE(OpenForReading(direct)->use_direct_io()) << "stock's own handle";
  std::unique_ptr<rocksdb::FSSequentialFile> sequential;
  ASSERT_TRUE(fs_->NewSequentialFile(blob_, direct, &sequential, nullptr).ok());
  EXPECT_TRUE(sequential->use_direct_io());
  AwaitDeferredWork();
  EXPECT_FALSE(Exists(rings_));
}

TEST_F(BlobFileTest, BlocksAreAllocatedAheadAndGivenBackAtTheEnd) {
  const auto file = Create();
  ASSERT_TRUE(file->Append(MakeValue(1, 100000), io_, nullptr).ok());
  EXPECT_GE(BytesOnDisk(blob_), uint64_t{16} << 20);
  ASSERT_TRUE(file->Close(io_, nullptr).ok());
  EXPECT_EQ(SizeOnDisk(blob_), 100000U);
  AwaitDeferredWork();
  EXPECT_LE(BytesOnDisk(blob_), 200000U);
}

TEST_F(BlobFileTest, NothingIsAllocatedAheadWhereTheOperatorForbidsIt) {
  FileOptions options;
  options.allow_fallocate = false;
  const auto file = Create(options);
  const std::string bytes = MakeValue(1, 9'000'000);
  ASSERT_TRUE(file->Append(bytes, io_, nullptr).ok());
  EXPECT_LE(BytesOnDisk(blob_), bytes.size());
  ASSERT_TRUE(file->Close(io_, nullptr).ok());
  EXPECT_TRUE(ReadFile(blob_) == bytes);
}

TEST_F(BlobFileTest, DirectWritesAreAskedForInVain) {
  FileOptions options;
  options.use_direct_writes = true;
  const auto file = Create(options);
  EXPECT_FALSE(file->use_direct_io()) << "RocksDB would pad its writes";
  ASSERT_TRUE(file->Append("12345", io_, nullptr).ok());
  ASSERT_TRUE(file->Close(io_, nullptr).ok());
  EXPECT_EQ(ReadFile(blob_), "12345");
}

TEST_F(BlobFileTest, SmallBlobsAreInThePageCacheOnceWrittenLargeOnesAndDirectWritesAreNot) {
  const struct {
    size_t value_bytes;
    bool direct;
    bool cached;
  } cases[] = {{4096, false, true}, {32 << 10, false, false}, {4096, true, false}};
  for (const auto& c : cases) {
    FileOptions options;
    options.use_direct_writes = c.direct;
    const auto file = Create(options);
    std::string bytes = BlobFileHeader();
    while (bytes.size() < 12 << 20) bytes += BlobRecord(c.value_bytes);
    ASSERT_TRUE(file->Append(bytes, io_, nullptr).ok());
    ASSERT_TRUE(file->Sync(io_, nullptr).ok());
    ASSERT_TRUE(file->Close(io_, nullptr).ok());
    EXPECT_EQ(PagesInCache(blob_) > 1000, c.cached) << c.value_bytes << " bytes";
  }
}

TEST_F(BlobFileTest, WithoutDirectIoLargeBlobsAreInThePageCacheToo) {
  PluginOptions options;
  options.direct_io = false;
  MakeFileSystem(options);
  const auto file = Create();
  ASSERT_TRUE(file->Append(BlobFileHeader() + BlobRecord(12 << 20), io_, nullptr).ok());
  ASSERT_TRUE(file->Close(io_, nullptr).ok());
  EXPECT_GT(PagesInCache(blob_), 1000U);
}

TEST_F(BlobFileTest, TakesAtMost8MiBOfMemory) {
  AwaitDeferredWork();  // other tests' files
  const auto file = Create();
  EXPECT_LE(DefaultRingBudget()->bytes_in_use(), 8U << 20);
  EXPECT_GT(DefaultRingBudget()->bytes_in_use(), 0U);
}

TEST_F(BlobFileTest, SwitchedOffTheyPassThrough) {
  PluginOptions options;
  options.blob_files = false;
  MakeFileSystem(options);
  const auto file = Create();
  ASSERT_TRUE(file->Append("12345", io_, nullptr).ok());
  EXPECT_EQ(LiveStores::FindPath(blob_), nullptr);
  EXPECT_FALSE(Exists(rings_));
}

TEST_F(BlobFileTest, WithoutRoomForARingTheyAreWrittenTheStockWay) {
  PluginOptions options;
  options.ring_budget_bytes = 4096;
  MakeFileSystem(options);
  CapturedStandardError standard_error;
  const auto file = Create();
  const std::string said = standard_error.Text();
  EXPECT_NE(said.find("ring_budget_bytes"), std::string::npos) << said;
  ASSERT_TRUE(file->Append("12345", io_, nullptr).ok());
  ASSERT_TRUE(file->Close(io_, nullptr).ok());
  EXPECT_EQ(ReadFile(blob_), "12345");
}

// A WAL beside it must neither take a blob file for an older log of its own nor wait for it.
TEST_F(BlobFileTest, WalsDoNotTakeThemForPredecessors) {
  const auto file = Create();
  ASSERT_TRUE(file->Append("12345", io_, nullptr).ok());
  const std::string log = dir_ / "000013.log";
  std::unique_ptr<FSWritableFile> wal;
  ASSERT_TRUE(fs_->NewWritableFile(log, test::LogOptions(*fs_), &wal, nullptr).ok());
  EXPECT_TRUE(LiveStores::OlderWals(DirectoryId::Of(dir_.path()), 13).empty());
  ASSERT_TRUE(wal->Append("record", io_, nullptr).ok());
  ASSERT_TRUE(wal->Sync(io_, nullptr).ok());
  EXPECT_EQ(SizeOnDisk(blob_), 0U) << "the WAL's sync has settled it";
}

// --- crashes ---

DeadLog DeadBlob() {
  DeadLog blob;
  blob.stream = lss::test::Stream(9000);
  blob.hi_stable = 4096;
  blob.behind = std::string(4096, '\0');
  return blob;
}

TEST_F(BlobFileTest, AKilledWritersBytesAreReadWithoutTouchingAnything) {
  const DeadLog blob = DeadBlob();
  blob.MakeAt(blob_);
  const Tree before = ListTree(dir_.path());
  EXPECT_TRUE(Read(OpenForReading().get(), 0, 10000) == blob.Promised());
  EXPECT_EQ(Difference(before, ListTree(dir_.path())), "");
}

TEST_F(BlobFileTest, TheNextFileInTheDirectoryBringsThemToTheFile) {
  const DeadLog blob = DeadBlob();
  blob.MakeAt(blob_);
  std::unique_ptr<FSWritableFile> next;
  ASSERT_TRUE(fs_->NewWritableFile(dir_ / "000014.blob", FileOptions(), &next, nullptr).ok());
  EXPECT_TRUE(ReadFile(blob_) == blob.Promised());
  EXPECT_EQ(Names(rings_).size(), 1U) << "the new file's own";
}

// Only whole blobs count after a power cut; a file that is not one is left as it is.
TEST_F(BlobFileTest, AfterAPowerCutAnUnknownFileIsNotTrimmed) {
  DeadLog blob = DeadBlob();
  lss::test::RestartMachine(blob.MakeAt(blob_));
  std::unique_ptr<FSWritableFile> next;
  ASSERT_TRUE(fs_->NewWritableFile(dir_ / "000014.blob", FileOptions(), &next, nullptr).ok());
  EXPECT_TRUE(ReadFile(blob_) == blob.File());
}

// As RocksDB's Blob Direct Write does: puts a real blob file's bytes without its end.
TEST_F(BlobFileTest, AfterAPowerCutItEndsBehindItsLastWholeBlob) {
  const TempDir other;
  {
    Database db(other / "db", With::kStock,
                [](rocksdb::Options* options) { options->enable_blob_files = true; });
    Require(db->Put(rocksdb::WriteOptions(), "key1", MakeValue(1, 3000)));
    Require(db->Put(rocksdb::WriteOptions(), "key2", MakeValue(2, 3000)));
    Require(db->Flush(rocksdb::FlushOptions()));
  }
  std::string whole;
  for (const auto& entry : std::filesystem::directory_iterator(other / "db")) {
    if (entry.path().extension() == ".blob") whole = ReadFile(entry.path().string());
  }
  const size_t first_end = 30 + 32 + 4 + 3000;
  ASSERT_EQ(whole.size(), first_end + 32 + 4 + 3000 + 32);
  DeadLog blob;
  blob.stream = whole.substr(0, first_end + 1000);
  blob.hi_stable = blob.stream.size();
  blob.behind = std::string(50000, '\0');
  lss::test::RestartMachine(blob.MakeAt(blob_));
  EXPECT_TRUE(Read(OpenForReading().get(), 0, 100000) == whole.substr(0, first_end));
  std::unique_ptr<FSWritableFile> next;
  ASSERT_TRUE(fs_->NewWritableFile(dir_ / "000014.blob", FileOptions(), &next, nullptr).ok());
  EXPECT_TRUE(ReadFile(blob_) == whole.substr(0, first_end));
}

// args: path. Appends for ever, saying how far it has come.
int EndlessBlobMain(const std::vector<std::string>& args) {
  BloomLfsFileSystem fs(FileSystem::Default());
  Require(fs.PrepareOptions(rocksdb::ConfigOptions()));
  std::unique_ptr<FSWritableFile> file;
  Require(fs.NewWritableFile(args.at(0), FileOptions(), &file, nullptr));
  for (uint64_t i = 0;; ++i) {
    Require(file->Append(MakeValue(i, 1 + (i * 7919) % 300000), IOOptions(), nullptr));
    Report(std::to_string(i + 1));
  }
}
const RegisterChild endless_blob("endless_blob", EndlessBlobMain);

TEST_F(BlobFileTest, KilledWhileWritingNothingAppendedIsLost) {
  for (int round = 0; round < 8 && !HasFailure(); ++round) {
    const std::string path = dir_ / ("00" + std::to_string(1000 + round) + ".blob");
    uint64_t appended = 0;
    {
      ChildProcess child("endless_blob", {path});
      while (appended < 5 + 30U * round) {
        appended = std::stoull(child.Hear());
      }
      child.Kill();
    }
    std::string expected;
    for (uint64_t i = 0; i < appended; ++i) {
      expected += MakeValue(i, 1 + (i * 7919) % 300000);
    }
    uint64_t size = 0;
    ASSERT_TRUE(fs_->GetFileSize(path, io_, &size, nullptr).ok());
    ASSERT_GE(size, expected.size());
    std::unique_ptr<FSWritableFile> next;  // replays
    ASSERT_TRUE(fs_->NewWritableFile(dir_ / "009999.blob", FileOptions(), &next, nullptr).ok());
    EXPECT_EQ(SizeOnDisk(path), size);
    EXPECT_TRUE(ReadFile(path).compare(0, expected.size(), expected) == 0) << "round " << round;
  }
}

}  // namespace
}  // namespace bloom_lfs::test
