// The store as a stream: Append, Flush, Sync, Read, Settle, Close.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "lss/dense_stream.h"
#include "plugin/default_runtime.h"
#include "tests/support/deferred_work.h"
#include "tests/support/files.h"
#include "tests/support/stream_bytes.h"
#include "tests/support/temp_dir.h"

namespace lss {
namespace {

using bloom_lfs::test::ReadFile;
using bloom_lfs::test::WriteFile;
using test::FirstDifference;
using test::StreamBytes;
using OpenMode = DenseStream::OpenMode;

class LogStructuredStoreTest : public testing::TestWithParam<WriteMode> {
 protected:
  LogStructuredStoreTest() { options_.write_mode = GetParam(); }

  void Open(OpenMode mode = OpenMode::kTruncate) {
    const Status status =
        DenseStream::Open(bloom_lfs::DefaultRuntime(path_), path_, options_, mode, &store_);
    ASSERT_TRUE(status.ok()) << status.ToString();
  }
  // The next `length` bytes of the stream.
  Status Append(size_t length) {
    const std::string bytes = StreamBytes(store_->size(), length);
    return store_->Append({bytes.data(), bytes.size()});
  }
  std::string Read(Address from, size_t length) {
    std::string bytes(length, '?');
    size_t read = 0;
    EXPECT_TRUE(store_->Read(from, length, bytes.data(), &read).ok());
    bytes.resize(read);
    return bytes;
  }
  // Closes and waits for what a close leaves to the maintenance thread.
  void Close() {
    const Status status = store_->Close();
    ASSERT_TRUE(status.ok()) << status.ToString();
    bloom_lfs::test::AwaitDeferredWork();
  }
  void ExpectFile(size_t length) {
    EXPECT_EQ(FirstDifference(ReadFile(path_), StreamBytes(0, length)), "");
  }
  // Makes the store hot, as a stream that syncs becomes by and by.
  void MakeHot() {
    for (int i = 0; i < 4; ++i) {
      ASSERT_TRUE(Append(10).ok());
      ASSERT_TRUE(store_->Sync().ok());
    }
    bloom_lfs::test::AwaitDeferredWork();
  }

  bloom_lfs::test::TempDir directory_;
  const std::string path_ = directory_ / "000004.log";
  StoreOptions options_;
  std::shared_ptr<DenseStream> store_;
};

INSTANTIATE_TEST_SUITE_P(Modes, LogStructuredStoreTest,
                         testing::Values(WriteMode::kSerializedWrites,
                                         WriteMode::kTailLocalizedWrites),
                         [](const testing::TestParamInfo<WriteMode>& mode) {
                           return mode.param == WriteMode::kSerializedWrites ? "Serialized"
                                                                             : "TailLocalized";
                         });

// --- the bytes
// --------------------------------------------------------------------------------------

// The seed's default: 4 buffers of 4 KiB. Most of these records are larger than the ring.
TEST_P(LogStructuredStoreTest, AfterCloseTheFileHasExactlyTheBytes) {
  for (const std::vector<size_t>& records : std::vector<std::vector<size_t>>{
           {}, {1}, {4096}, {100, 4096, 3996}, {16384}, {16385, 1, 70000, 4095}, {1 << 20, 13}}) {
    Open();
    size_t total = 0;
    for (const size_t record : records) {
      ASSERT_TRUE(Append(record).ok());
      total += record;
      ASSERT_EQ(store_->size(), total);
    }
    Close();
    ExpectFile(total);
  }
}

TEST_P(LogStructuredStoreTest, EveryRingShapeGivesTheSameFile) {
  for (const uint32_t bytes : {4096U, 8192U, 65536U}) {
    for (const uint32_t count : {2U, 3U, 16U}) {
      for (const bool use_io_uring : {true, false}) {
        options_.buffer_bytes = bytes;
        options_.buffer_count = count;
        options_.use_io_uring = use_io_uring;
        options_.use_direct_io = count != 3;
        Open();
        for (int i = 0; i < 200; ++i) {
          ASSERT_TRUE(Append(1 + i * 37 % 5000).ok());
          if (i % 23 == 0) {
            ASSERT_TRUE(store_->Sync().ok());
          }
        }
        const size_t total = store_->size();
        Close();
        ExpectFile(total);
      }
    }
  }
}

TEST_P(LogStructuredStoreTest, AppendedBytesAreReadableAtOnce) {
  Open();
  for (const size_t length : {10, 5000, 100000, 3}) {
    ASSERT_TRUE(Append(length).ok());
    const Address end = store_->size();
    ASSERT_EQ(FirstDifference(Read(0, end), StreamBytes(0, end)), "");
    ASSERT_EQ(Read(end - 3, 100), StreamBytes(end - 3, 3)) << "short only at the end";
    ASSERT_EQ(Read(end, 1), "");
    ASSERT_EQ(Read(end + 5000, 1), "");
  }
  EXPECT_GT(store_->hi_stable(), 0U) << "the ring is smaller: some of it came from the file";
  Close();
  EXPECT_EQ(Read(4000, 200), StreamBytes(4000, 200)) << "also after the close";
}

TEST_P(LogStructuredStoreTest, SyncMakesEverythingBeforeItDurable) {
  Open();
  EXPECT_EQ(store_->durable(), 0U);
  ASSERT_TRUE(Append(5000).ok());
  ASSERT_TRUE(store_->Flush().ok());
  EXPECT_EQ(store_->durable(), 0U) << "flush is for the death of the process only";
  ASSERT_TRUE(store_->Sync().ok());
  EXPECT_EQ(store_->durable(), 5000U);
  EXPECT_GE(store_->hi_stable(), 5000U);
  EXPECT_EQ(ReadFile(path_).substr(0, 5000), StreamBytes(0, 5000));
  ASSERT_TRUE(Append(100000).ok());
  ASSERT_TRUE(store_->Sync().ok());
  EXPECT_EQ(store_->durable(), 105000U);
}

TEST_P(LogStructuredStoreTest, AStreamThatSyncsOftenEndsAtItsExactSizeToo) {
  options_.frontier_bytes = 64 << 10;
  Open();
  for (int i = 0; i < 300; ++i) {
    ASSERT_TRUE(Append(100 + i).ok());
    ASSERT_TRUE(store_->Sync().ok());
    ASSERT_EQ(store_->durable(), store_->size());
  }
  const size_t total = store_->size();
  const std::string live = ReadFile(path_);
  ASSERT_GE(live.size(), total);
  EXPECT_EQ(FirstDifference(live.substr(0, total), StreamBytes(0, total)), "");
  EXPECT_EQ(live.find_first_not_of('\0', total), std::string::npos)
      << "while live, zeros and nothing but zeros may lie behind the tail";
  Close();
  ExpectFile(total);
}

TEST_P(LogStructuredStoreTest, PollCompletionsCountsWhatHasBeenWrittenSinceTheLastCall) {
  Open();
  EXPECT_EQ(store_->PollCompletions(), 0U);
  ASSERT_TRUE(Append(40 * 4096).ok());
  // 36 buffers and more have left a ring of 4; neighbours may have gone down as one write.
  const size_t first = store_->PollCompletions();
  EXPECT_GE(first, 9U);
  EXPECT_LE(first, 40U);
  Close();
  (void)store_->PollCompletions();
  EXPECT_EQ(store_->PollCompletions(), 0U);
}

TEST_P(LogStructuredStoreTest, AnIdleTailReachesTheFileByItself) {
  options_.idle_flush_ms = 1;
  Open();
  ASSERT_TRUE(Append(300).ok());
  for (int i = 0; i < 60000 && store_->hi_stable() < 300; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_EQ(store_->hi_stable(), 300U);
  EXPECT_EQ(ReadFile(path_), StreamBytes(0, 300)) << "cold: exactly the bytes, for any tool to see";
}

TEST_P(LogStructuredStoreTest, AllocateGivesRealBlocksAndLeavesTheSizeAlone) {
  Open();
  ASSERT_TRUE(store_->Allocate(0, 3 << 20).ok());
  struct stat st = {};
  ASSERT_EQ(stat(path_.c_str(), &st), 0);
  EXPECT_EQ(st.st_size, 0);
  EXPECT_GE(st.st_blocks * 512, 3 << 20);
  ASSERT_TRUE(Append(100).ok());
  Close();
  ASSERT_EQ(stat(path_.c_str(), &st), 0);
  EXPECT_LT(st.st_blocks * 512, 1 << 20) << "the close gives back what was not used";
  ExpectFile(100);
}

// --- settle
// -----------------------------------------------------------------------------------------

TEST_P(LogStructuredStoreTest, SettleShowsTheExactFileToOthersAndTheStreamGoesOn) {
  Open();
  ASSERT_TRUE(Append(5000).ok());
  ASSERT_TRUE(store_->Settle().ok());
  ExpectFile(5000);
  MakeHot();
  ASSERT_TRUE(Append(50000).ok());
  ASSERT_TRUE(store_->Settle().ok());
  ExpectFile(store_->size());
  ASSERT_TRUE(Append(5000).ok());
  ASSERT_TRUE(store_->Sync().ok());
  const size_t total = store_->size();
  Close();
  ExpectFile(total);
}

// --- close and reopen
// -------------------------------------------------------------------------------

TEST_P(LogStructuredStoreTest, CloseLeavesNothingBehindAndIsFinal) {
  Open();
  ASSERT_TRUE(Append(5000).ok());
  EXPECT_TRUE(std::filesystem::exists(store_->ring_path()));
  Close();
  EXPECT_TRUE(store_->Close().ok()) << "idempotent";
  EXPECT_FALSE(std::filesystem::exists(directory_ / ".bloom_lfs")) << "ring and directory go";
  EXPECT_EQ(store_->Append({"x", 1}).code(), Status::Code::kClosed);
  EXPECT_EQ(store_->Sync().code(), Status::Code::kClosed);
  EXPECT_TRUE(store_->closed());
  ExpectFile(5000);
}

TEST_P(LogStructuredStoreTest, AHotCloseLeavesNothingBehindEither) {
  Open();
  MakeHot();
  ASSERT_TRUE(Append(20000).ok());
  Close();
  EXPECT_FALSE(std::filesystem::exists(directory_ / ".bloom_lfs"));
  ExpectFile(20040);
}

TEST_P(LogStructuredStoreTest, ReopeningForAppendContinuesAtAnyByte) {
  for (const size_t size : {0, 1, 4095, 4096, 4097, 16384, 30001}) {
    WriteFile(path_, StreamBytes(0, size));
    Open(OpenMode::kAppend);
    EXPECT_EQ(store_->size(), size);
    EXPECT_EQ(FirstDifference(Read(0, size + 1), StreamBytes(0, size)), "");
    ASSERT_TRUE(Append(20).ok());
    ASSERT_TRUE(store_->Sync().ok());
    EXPECT_EQ(store_->durable(), size + 20);
    EXPECT_EQ(FirstDifference(Read(0, size + 20), StreamBytes(0, size + 20)), "");
    ASSERT_TRUE(Append(20000).ok());
    Close();
    ExpectFile(size + 20020);
  }
}

TEST_P(LogStructuredStoreTest, ReopeningForAppendAndClosingChangesNothing) {
  WriteFile(path_, StreamBytes(0, 5000));
  Open(OpenMode::kAppend);
  Close();
  ExpectFile(5000);
}

TEST_P(LogStructuredStoreTest, ReopeningForAppendCreatesAMissingFile) {
  Open(OpenMode::kAppend);
  ASSERT_TRUE(Append(7).ok());
  Close();
  ExpectFile(7);
}

TEST_P(LogStructuredStoreTest, OpeningToTruncateEmptiesTheFile) {
  WriteFile(path_, std::string(50000, 'o'));
  Open();
  EXPECT_EQ(store_->size(), 0U);
  ASSERT_TRUE(Append(10).ok());
  Close();
  ExpectFile(10);
}

TEST_P(LogStructuredStoreTest, AFileThatWasUnlinkedMeanwhileClosesWell) {
  Open();
  MakeHot();
  ASSERT_EQ(unlink(path_.c_str()), 0);
  ASSERT_TRUE(Append(20000).ok());
  Close();
  EXPECT_FALSE(std::filesystem::exists(path_));
  EXPECT_FALSE(std::filesystem::exists(directory_ / ".bloom_lfs"));
}

TEST_P(LogStructuredStoreTest, ManyStoresLiveSideBySide) {
  std::vector<std::shared_ptr<DenseStream>> stores;
  for (int i = 0; i < 10; ++i) {
    stores.emplace_back();
    ASSERT_TRUE(DenseStream::Open(bloom_lfs::DefaultRuntime(directory_ / std::to_string(i)),
                                  directory_ / std::to_string(i), options_, OpenMode::kTruncate,
                                  &stores.back())
                    .ok());
  }
  for (int round = 0; round < 30; ++round) {
    for (const auto& store : stores) {
      const std::string bytes = StreamBytes(store->size(), 3001);
      ASSERT_TRUE(store->Append({bytes.data(), bytes.size()}).ok());
    }
  }
  for (size_t i = 0; i < stores.size(); ++i) {
    ASSERT_TRUE(stores[i]->Close().ok());
    EXPECT_EQ(FirstDifference(ReadFile(directory_ / std::to_string(i)), StreamBytes(0, 90030)), "");
  }
}

// --- refusals
// -----------------------------------------------------------------------------------------

TEST_P(LogStructuredStoreTest, BadOptionsAndPathsAreRefusedBeforeAnythingIsTouched) {
  WriteFile(path_, "precious");
  options_.buffer_count = 1;
  EXPECT_EQ(DenseStream::Open(bloom_lfs::DefaultRuntime(path_), path_, options_,
                              OpenMode::kTruncate, &store_)
                .code(),
            Status::Code::kInvalidArgument);
  EXPECT_EQ(ReadFile(path_), "precious");
  options_.buffer_count = 4;
  EXPECT_EQ(DenseStream::Open(bloom_lfs::DefaultRuntime(directory_.path()), directory_.path(),
                              options_, OpenMode::kTruncate, &store_)
                .code(),
            Status::Code::kInvalidArgument);
  EXPECT_EQ(DenseStream::Open(bloom_lfs::DefaultRuntime(directory_ / "no/such/dir"),
                              directory_ / "no/such/dir", options_, OpenMode::kTruncate, &store_)
                .code(),
            Status::Code::kNotFound);
  ASSERT_EQ(mkfifo((directory_ / "fifo").c_str(), 0600), 0);
  EXPECT_EQ(DenseStream::Open(bloom_lfs::DefaultRuntime(directory_ / "fifo"), directory_ / "fifo",
                              options_, OpenMode::kAppend, &store_)
                .code(),
            Status::Code::kInvalidArgument);
  EXPECT_EQ(store_, nullptr);
}

}  // namespace
}  // namespace lss
