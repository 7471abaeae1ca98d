// Streams whose ring's file cannot be had any more: what stock would answer is the answer, and
// what was acknowledged is in the file.

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <fstream>
#include <memory>
#include <string>
#include <thread>

#include "lss/dense_stream.h"
#include "lss/record_log.h"
#include "lss/recovery/recovery.h"
#include "lss/ring/ring_view.h"
#include "plugin/default_runtime.h"
#include "tests/support/dead_log.h"
#include "tests/support/files.h"
#include "tests/support/page_faults.h"
#include "tests/support/store_parts.h"
#include "tests/support/stream_bytes.h"
#include "tests/support/temp_dir.h"

namespace lss {
namespace {

using bloom_lfs::test::ReadFile;
using bloom_lfs::test::TempDir;
using test::CutShort;
using test::Exists;
using test::FirstDifference;
using test::StreamBytes;

class RingFailureTest : public testing::Test {
 protected:
  RingFailureTest() {
    options_ = test::SmallOptions();
    options_.idle_flush_ms = 60000;  // nothing happens unless a test makes it
  }

  void Open() {
    const Status status =
        DenseStream::Open(&runtime_, path_, options_, DenseStream::OpenMode::kTruncate, &stream_);
    ASSERT_TRUE(status.ok()) << status.ToString();
  }
  Status Append(size_t length) {
    const std::string bytes = StreamBytes(end_, length);
    Status status = stream_->Append({bytes.data(), bytes.size()});
    end_ += status.ok() ? length : 0;
    return status;
  }
  void AppendOk(size_t length) {
    const Status status = Append(length);
    ASSERT_TRUE(status.ok()) << status.ToString();
  }
  void SyncOk() {
    const Status status = stream_->Sync();
    ASSERT_TRUE(status.ok()) << status.ToString();
  }
  void MakeHot() {
    for (int i = 0; i < 4; ++i) {
      AppendOk(100);
      SyncOk();
    }
    runtime_.maintenance()->Drain();
    AppendOk(100);
    SyncOk();
    ASSERT_GT(ReadFile(path_).size(), end_) << "not hot: no zeros behind the tail";
  }
  // Where the ring is mapped in this process.
  char* Mapped() const {
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
      if (line.find(stream_->ring_path()) != std::string::npos) {
        return reinterpret_cast<char*>(std::stoull(line, nullptr, 16));
      }
    }
    return nullptr;
  }
  void RefuseStores() {
    char* const ring = Mapped();
    ASSERT_NE(ring, nullptr);
    test::RefuseStore(ring + kPageBytes);
  }
  std::string ReadBack() const {
    std::string bytes(end_ + 10, '?');
    size_t read = 0;
    EXPECT_TRUE(stream_->Read(0, bytes.size(), bytes.data(), &read).ok());
    bytes.resize(read);
    return bytes;
  }
  void ExpectWhole() {
    EXPECT_EQ(FirstDifference(ReadFile(path_), StreamBytes(0, end_)), "");
    EXPECT_EQ(FirstDifference(ReadBack(), StreamBytes(0, end_)), "");
    EXPECT_EQ(stream_->size(), end_);
  }

  TempDir dir_;
  const std::string path_ = dir_ / "000007.log";
  StoreOptions options_;
  Runtime runtime_;
  std::shared_ptr<DenseStream> stream_;
  Address end_ = 0;
};

// A copy-on-write file system that is full, a device that is gone: stores are refused, the pages
// can still be read.
TEST_F(RingFailureTest, WhenStoresAreRefusedTheFileGetsEveryByteBeforeItIsAcknowledged) {
  Open();
  AppendOk(5000);
  RefuseStores();
  AppendOk(100);
  ExpectWhole();
  for (const size_t length : {1, 4095, 100000, 7}) {
    AppendOk(length);
    ExpectWhole();
  }
  SyncOk();
  EXPECT_EQ(stream_->durable(), end_);
  EXPECT_TRUE(stream_->Close().ok());
  EXPECT_EQ(FirstDifference(ReadFile(path_), StreamBytes(0, end_)), "");
}

TEST_F(RingFailureTest, AHotStreamGoesOnTheSameWayWithoutZerosBehindItsTail) {
  options_.frontier_bytes = 1 << 20;
  Open();
  MakeHot();
  AppendOk(5000);
  RefuseStores();
  for (const size_t length : {1, 4095, 100000, 7}) {
    AppendOk(length);
    ExpectWhole();
  }
  SyncOk();
  ExpectWhole();
  EXPECT_TRUE(stream_->Close().ok());
  EXPECT_EQ(FirstDifference(ReadFile(path_), StreamBytes(0, end_)), "");
}

// A ring that has stopped to follow must not speak after the process's death.
TEST_F(RingFailureTest, TheRingGoesWhenTheFileHasEverything) {
  Open();
  AppendOk(5000);
  RefuseStores();
  EXPECT_TRUE(Exists(stream_->ring_path()));
  AppendOk(1);
  EXPECT_FALSE(Exists(stream_->ring_path()));
}

TEST_F(RingFailureTest, ARecordLargerThanTheRingThatMeetsTheFaultOnItsWay) {
  Open();
  AppendOk(10);
  char* const ring = Mapped();
  // Refused in the second lap, from another thread.
  std::thread other([&] {
    while (stream_->hi_stable() < 50000) {
      std::this_thread::yield();
    }
    test::RefuseStore(ring + 2 * kPageBytes);
  });
  AppendOk(3000000);
  other.join();
  AppendOk(10);
  ExpectWhole();
}

TEST_F(RingFailureTest, ARingCutShortWithNothingUnwrittenCostsNothing) {
  Open();
  AppendOk(5000);
  SyncOk();
  CutShort(stream_->ring_path());
  AppendOk(300);
  ExpectWhole();
  SyncOk();
  AppendOk(9000);
  ExpectWhole();
}

TEST_F(RingFailureTest, AHotRingCutShortWithNothingUnwrittenCostsNothing) {
  Open();
  MakeHot();
  CutShort(stream_->ring_path());
  AppendOk(300);
  ExpectWhole();
  SyncOk();
  AppendOk(9000);
  ExpectWhole();
}

// Made whole again, the file would have zeros where there were bytes, and no store would tell.
TEST_F(RingFailureTest, ARingCutShortIsNotMadeLongAgainByPrefaulting) {
  const std::unique_ptr<RingMemory> memory = test::MakeRingMemory(dir_.path(), options_);
  memory->PrefaultUnused(3);
  EXPECT_EQ(ReadFile(memory->path()).size(), RingFileBytes(4096, 4) + RingReserveBytes(4096, 4));
  CutShort(memory->path());
  memory->PrefaultUnused(3);
  EXPECT_EQ(ReadFile(memory->path()).size(), 0U);
  *memory->buffer(1) = 'x';
  EXPECT_TRUE(memory->failed());
}

TEST_F(RingFailureTest, BytesThatOnlyTheRingHadAreAnErrorThatNamesItAndNeverZeros) {
  Open();
  AppendOk(100);
  SyncOk();
  AppendOk(5000);
  const std::string ring = stream_->ring_path();
  CutShort(ring);
  const Status status = Append(10);
  EXPECT_EQ(status.code(), Status::Code::kIoError) << status.ToString();
  EXPECT_NE(status.message().find(ring), std::string::npos) << status.ToString();
  EXPECT_NE(status.message().find("cut"), std::string::npos) << status.ToString();
  EXPECT_EQ(Append(10).code(), Status::Code::kIoError) << "sticky";
  EXPECT_EQ(stream_->Sync().code(), Status::Code::kIoError);
  EXPECT_EQ(stream_->Close().code(), Status::Code::kIoError);
  EXPECT_EQ(FirstDifference(ReadFile(path_), StreamBytes(0, 100)), "");
}

TEST_F(RingFailureTest, ReadingWhatTheRingHasLostIsAnErrorAndNeverZeros) {
  Open();
  AppendOk(100);
  SyncOk();
  AppendOk(5000);
  CutShort(stream_->ring_path());
  char byte = 0;
  size_t read = 0;
  EXPECT_EQ(stream_->Read(200, 1, &byte, &read).code(), Status::Code::kIoError);
  EXPECT_TRUE(stream_->Read(50, 1, &byte, &read).ok()) << "the file has it";
  EXPECT_EQ(byte, StreamBytes(50, 1)[0]);
}

TEST_F(RingFailureTest, AnIdleStreamBringsItsBytesToTheFileByItself) {
  options_.idle_flush_ms = 10;
  Open();
  AppendOk(5000);
  RefuseStores();
  const std::string ring = stream_->ring_path();
  for (int i = 0; i < 3000 && Exists(ring); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_FALSE(Exists(ring));
  ExpectWhole();
}

TEST_F(RingFailureTest, ClosingIsEnough) {
  Open();
  AppendOk(5000);
  RefuseStores();
  EXPECT_TRUE(stream_->Close().ok());
  EXPECT_EQ(FirstDifference(ReadFile(path_), StreamBytes(0, end_)), "");
  EXPECT_FALSE(Exists(stream_->ring_path()));
}

// The device's own error is the answer, as with stock.
TEST_F(RingFailureTest, TheFilesErrorIsTheAnswer) {
  const auto parts = test::StoreParts::Make(dir_.path(), test::SmallOptions());
  ASSERT_TRUE(parts->Append(100).ok());
  test::RefuseStore(parts->memory->buffer(0));
  ASSERT_TRUE(parts->memory->failed());
  parts->device.Fail({test::DeviceCall::kWrite, ENOSPC});
  EXPECT_EQ(parts->tail.WriteThrough(100, {"abc", 3}).code(), Status::Code::kNoSpace);
  EXPECT_FALSE(parts->pipeline.failed()) << "space may come";
  EXPECT_TRUE(parts->tail.WriteThrough(100, {"abc", 3}).ok());
  EXPECT_EQ(parts->device.Content(), StreamBytes(0, 100) + "abc");
  parts->device.Fail({test::DeviceCall::kWrite, EIO});
  EXPECT_EQ(parts->tail.WriteThrough(103, {"abc", 3}).code(), Status::Code::kIoError);
  EXPECT_TRUE(parts->pipeline.failed());
}

// Zeros in place of what was lost, on their way to the file by the flusher.
TEST_F(RingFailureTest, TheFlusherTakesNoZerosForBytes) {
  const auto parts = test::StoreParts::Make(dir_.path(), test::SmallOptions());
  parts->pipeline.WatchMemory(parts->memory.get());
  parts->pipeline.AllowWrites(FlushPipeline::Gate::kHot);
  ASSERT_TRUE(parts->Append(4096 + 100).ok());  // one sealed
  CutShort(parts->memory->path());
  *parts->memory->buffer(0) = 'x';
  parts->CarryWrites();
  EXPECT_TRUE(parts->pipeline.failed());
  EXPECT_EQ(parts->pipeline.hi_stable(), 0U);
  EXPECT_EQ(parts->device.Content().find_first_not_of('\0'), std::string::npos);
}

TEST_F(RingFailureTest, ARecordLogFails) {
  std::shared_ptr<RecordLog> log;
  ASSERT_TRUE(RecordLog::Open(&runtime_, path_, options_, &log).ok());
  Reservation reservation;
  ASSERT_TRUE(log->Reserve(100, &reservation).ok());
  CutShort(log->ring_path());
  ASSERT_TRUE(reservation.Write({StreamBytes(0, 100).data(), 100}).ok());
  EXPECT_EQ(log->Flush().code(), Status::Code::kIoError);
  EXPECT_EQ(log->Reserve(100, &reservation).code(), Status::Code::kIoError);
  EXPECT_EQ(log->Sync().code(), Status::Code::kIoError);
}

// --- who looks at a ring from outside
// -------------------------------------------------------------

TEST_F(RingFailureTest, AViewOfARingCutShortHasNoHeaderAndNoBytes) {
  test::DeadLog log;
  log.stream = test::Stream(6000);
  const std::string ring = log.MakeAt(path_);
  std::unique_ptr<RingView> view;
  ASSERT_TRUE(RingView::Open(ring, &view).ok());
  ASSERT_EQ(view->header_state(), HeaderState::kWhole);
  CutShort(ring);
  char bytes[100];
  EXPECT_EQ(view->CopyOut(0, sizeof(bytes), 6000, bytes), 0U);
  EXPECT_TRUE(view->failed());
  EXPECT_EQ(view->header_state(), HeaderState::kDamaged);
  EXPECT_FALSE(view->LiveWordsAgree());
}

TEST_F(RingFailureTest, AViewOfARingThatLosesItsBuffersOnlyCopiesNoZeros) {
  test::DeadLog log;
  log.stream = test::Stream(6000);
  const std::string ring = log.MakeAt(path_);
  std::unique_ptr<RingView> view;
  ASSERT_TRUE(RingView::Open(ring, &view).ok());
  CutShort(ring, kPageBytes);
  char bytes[100];
  EXPECT_EQ(view->CopyOut(0, sizeof(bytes), 6000, bytes), 0U);
  EXPECT_EQ(view->header_state(), HeaderState::kDamaged);
}

}  // namespace
}  // namespace lss
