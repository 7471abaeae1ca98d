// The bytes of a log for a reader, wherever they are: in the file, in a ring of this process, in
// the ring of a dead one; and when they move from one to the other under the reader's eyes.

#include "plugin/file_source.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>
#include <vector>

#include "plugin/default_runtime.h"
#include "tests/support/child_check.h"
#include "tests/support/child_process.h"
#include "tests/support/dead_log.h"
#include "tests/support/files.h"
#include "tests/support/refusing_kernel.h"
#include "tests/support/temp_dir.h"
#include "tests/support/wal_builder.h"

namespace bloom_lfs {
namespace {

using lss::DenseStream;
using lss::Status;
using lss::test::DeadLog;
using lss::test::Exists;
using lss::test::Stream;
using test::Difference;
using test::ListTree;
using test::TempDir;
using test::Tree;
using test::WriteFile;

class FileSourceTest : public testing::Test {
 protected:
  ~FileSourceTest() override {
    if (store_ != nullptr) {
      LiveStores::Remove(store_);
      (void)store_->Close();
    }
  }
  std::unique_ptr<FileSource> Open(const std::string& path) {
    std::unique_ptr<FileSource> source;
    const Status status = FileSource::Open(path, &source);
    EXPECT_TRUE(status.ok()) << status.ToString();
    return source;
  }
  static std::string Read(FileSource* source, uint64_t offset, size_t length) {
    std::string bytes(length, '?');
    size_t read = 0;
    const Status status = source->Read(offset, length, bytes.data(), &read);
    EXPECT_TRUE(status.ok()) << status.ToString();
    bytes.resize(read);
    return bytes;
  }
  static uint64_t Size(FileSource* source) {
    uint64_t size = 0;
    const Status status = source->Size(&size);
    EXPECT_TRUE(status.ok()) << status.ToString();
    return size;
  }
  // A store of this process that writes Stream() to log_.
  void StartStore() {
    lss::StoreOptions options;
    options.buffer_count = 4;
    options.idle_flush_ms = 60000;
    ASSERT_TRUE(DenseStream::Open(bloom_lfs::DefaultRuntime(log_), log_, options,
                                  DenseStream::OpenMode::kTruncate, &store_)
                    .ok());
    LiveStores::Add(store_);
  }
  void Append(size_t length) {
    const std::string bytes = stream_.substr(store_->size(), length);
    ASSERT_TRUE(store_->Append({bytes.data(), bytes.size()}).ok());
  }

  TempDir dir_;
  const std::string log_ = dir_ / "000007.log";
  const std::string stream_ = Stream(200000);
  StorePtr store_;
};

TEST_F(FileSourceTest, ReadsAPlainFileAndFollowsItsGrowth) {
  WriteFile(log_, "12345");
  const std::unique_ptr<FileSource> source = Open(log_);
  EXPECT_EQ(Size(source.get()), 5U);
  EXPECT_EQ(Read(source.get(), 1, 3), "234");
  EXPECT_EQ(Read(source.get(), 3, 100), "45");
  EXPECT_EQ(Read(source.get(), 5, 100), "");
  EXPECT_EQ(Read(source.get(), 1000, 100), "");
  WriteFile(log_, "1234567");
  EXPECT_EQ(Read(source.get(), 5, 100), "67");
  EXPECT_EQ(Size(source.get()), 7U);
}

TEST_F(FileSourceTest, MissingFileIsNotFound) {
  std::unique_ptr<FileSource> source;
  const Status status = FileSource::Open(dir_ / "000001.log", &source);
  EXPECT_EQ(status.code(), Status::Code::kNotFound);
  EXPECT_NE(status.message().find(dir_ / "000001.log"), std::string::npos);
}

TEST_F(FileSourceTest, ReadsALiveStoreOfThisProcess) {
  StartStore();
  const std::unique_ptr<FileSource> source = Open(log_);
  EXPECT_EQ(Size(source.get()), 0U);
  for (const size_t length : {10U, 5000U, 30000U, 1U, 100000U}) {
    const uint64_t from = store_->size();
    Append(length);
    EXPECT_EQ(Size(source.get()), from + length);
    EXPECT_TRUE(Read(source.get(), from, length + 10) == stream_.substr(from, length));
  }
  EXPECT_TRUE(Read(source.get(), 0, 200000) == stream_.substr(0, store_->size()));
}

TEST_F(FileSourceTest, ALogThatWasOpenedBeforeItsStoreIsFollowed) {
  WriteFile(log_, "");
  const std::unique_ptr<FileSource> source = Open(log_);
  EXPECT_EQ(Read(source.get(), 0, 100), "");
  StartStore();  // empties the file, which keeps its inode
  Append(5000);
  EXPECT_TRUE(Read(source.get(), 0, 10000) == stream_.substr(0, 5000));
}

// The writer makes room in the file, which reads as zeros, while its bytes are in the ring.
TEST_F(FileSourceTest, RoomThatAWriterHasMadeIsNotTakenForBytes) {
  WriteFile(log_, "");
  const std::unique_ptr<FileSource> source = Open(log_);
  const std::unique_ptr<FileSource> other = Open(log_);
  EXPECT_FALSE(source->IsPlainFile()) << "as yet";
  StartStore();
  Append(5000);
  ASSERT_EQ(truncate(log_.c_str(), 1 << 20), 0);
  EXPECT_EQ(Size(other.get()), 5000U);
  EXPECT_TRUE(Read(source.get(), 0, 10000) == stream_.substr(0, 5000));
}

TEST_F(FileSourceTest, ReadingGoesOnThroughCloseRenameAndDeletion) {
  StartStore();
  Append(30000);
  const std::unique_ptr<FileSource> source = Open(log_);
  EXPECT_TRUE(Read(source.get(), 0, 10000) == stream_.substr(0, 10000));
  ASSERT_EQ(rename(log_.c_str(), (dir_ / "renamed.log").c_str()), 0);
  EXPECT_TRUE(Read(source.get(), 10000, 10000) == stream_.substr(10000, 10000));
  ASSERT_TRUE(store_->Close().ok());
  LiveStores::Remove(store_);
  EXPECT_TRUE(Read(source.get(), 20000, 20000) == stream_.substr(20000, 10000));
  EXPECT_EQ(Size(source.get()), 30000U);
  ASSERT_EQ(unlink((dir_ / "renamed.log").c_str()), 0);
  store_.reset();
  EXPECT_TRUE(Read(source.get(), 0, 40000) == stream_.substr(0, 30000));
  EXPECT_EQ(Size(source.get()), 30000U);
}

TEST_F(FileSourceTest, ReadsTheRingOfAKilledProcessAndChangesNothing) {
  DeadLog log;
  log.stream = stream_.substr(0, 20000);
  log.hi_stable = 12000;
  log.behind = std::string(9000, '\0');
  log.MakeAt(log_);
  const Tree before = ListTree(dir_.path());
  const std::unique_ptr<FileSource> source = Open(log_);
  EXPECT_EQ(Size(source.get()), 20000U);
  EXPECT_TRUE(Read(source.get(), 0, 30000) == log.stream);
  EXPECT_TRUE(Read(source.get(), 11990, 20) == log.stream.substr(11990, 20));
  EXPECT_EQ(Read(source.get(), 20000, 10), "");
  EXPECT_EQ(Difference(before, ListTree(dir_.path())), "");
}

TEST_F(FileSourceTest, AnArchivedLogsRingIsFoundBesideTheParent) {
  DeadLog log;
  log.stream = stream_.substr(0, 20000);
  log.hi_stable = 12000;
  log.MakeAt(log_);
  const std::string archive = dir_ / "archive";
  ASSERT_EQ(mkdir(archive.c_str(), 0755), 0);
  ASSERT_EQ(rename(log_.c_str(), (archive + "/000007.log").c_str()), 0);
  EXPECT_TRUE(Read(Open(archive + "/000007.log").get(), 0, 30000) == log.stream);
}

TEST_F(FileSourceTest, AfterARestartTheLogEndsWithItsLastWholeRecord) {
  test::WalBuilder wal;
  wal.Add(test::Payload(1000)).Add(test::Payload(500));
  const uint64_t end = wal.size();
  DeadLog log;
  log.stream = wal.bytes() + "torn";
  log.hi_stable = log.stream.size();
  log.behind = std::string(9000, '\0');
  lss::test::RestartMachine(log.MakeAt(log_));
  const std::unique_ptr<FileSource> source = Open(log_);
  EXPECT_EQ(Size(source.get()), end);
  EXPECT_TRUE(Read(source.get(), 0, 30000) == wal.bytes());
  EXPECT_EQ(Read(source.get(), end, 10), "");
}

TEST_F(FileSourceTest, ALaterVersionsRingStopsTheReader) {
  const std::string ring = DeadLog().MakeAt(log_);
  lss::test::RewriteRing(ring, [](lss::RingHeaderFixed* fixed) { ++fixed->format_version; });
  std::unique_ptr<FileSource> source;
  EXPECT_EQ(FileSource::Open(log_, &source).code(), Status::Code::kNotSupported);
}

TEST_F(FileSourceTest, ADamagedRingLeavesTheFile) {
  DeadLog log;
  log.stream = stream_.substr(0, 20000);
  log.hi_stable = 12000;
  lss::test::EditRing(log.MakeAt(log_), [](lss::RingHeader* header) { header->fixed.inode ^= 1; });
  const std::unique_ptr<FileSource> source = Open(log_);
  EXPECT_EQ(Size(source.get()), 12000U);
  EXPECT_TRUE(Read(source.get(), 0, 30000) == log.File());
}

// Child: a log whose close fails. What was acknowledged is then in the ring only, and must stay
// readable through old handles and new ones.
int FailedCloseMain(const std::vector<std::string>& args) {
  using lss::test::Require;
  const std::string bytes = Stream(3000);
  StorePtr store;
  lss::test::RequireOk(
      DenseStream::Open(bloom_lfs::DefaultRuntime(args.at(0)), args.at(0), lss::StoreOptions(),
                        DenseStream::OpenMode::kTruncate, &store),
      "open");
  LiveStores::Add(store);
  lss::test::RequireOk(store->Append({bytes.data(), bytes.size()}), "append");
  std::unique_ptr<FileSource> old_source;
  lss::test::RequireOk(FileSource::Open(args.at(0), &old_source), "source");
  for (const long call : {SYS_pwritev2, SYS_pwritev, SYS_pwrite64}) {
    lss::test::RefuseSystemCall(call, EIO);
  }
  Require(!store->Close().ok(), "a close without its last write fails");
  LiveStores::Remove(store);
  std::unique_ptr<FileSource> new_source;
  lss::test::RequireOk(FileSource::Open(args.at(0), &new_source), "source after the close");
  for (FileSource* source : {new_source.get(), old_source.get()}) {
    std::string read_bytes(5000, '\0');
    size_t read = 0;
    lss::test::RequireOk(source->Read(0, 5000, read_bytes.data(), &read), "read");
    Require(read_bytes.substr(0, read) == bytes,
            std::string(source == old_source.get() ? "an old" : "a new") +
                " handle reads every byte; it reads " + std::to_string(read));
  }
  _exit(0);
}
const test::RegisterChild failed_close("failed_close", FailedCloseMain);

TEST_F(FileSourceTest, ALogThatCouldNotBeClosedStaysReadable) {
  test::ChildProcess child("failed_close", {log_});
  EXPECT_EQ(child.Wait(), 0);
  EXPECT_TRUE(Read(Open(log_).get(), 0, 5000) == Stream(3000)) << "and after the process";
}

}  // namespace
}  // namespace bloom_lfs
