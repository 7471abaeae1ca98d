// What is the dense stream's own: its face, and going on at the end of a device.
#include "lss/dense_stream.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "lss/base/clock.h"
#include "lss/record_log.h"
#include "tests/support/files.h"
#include "tests/support/memory_device.h"
#include "tests/support/stream_bytes.h"
#include "tests/support/temp_dir.h"

namespace lss {
namespace {

using bloom_lfs::test::ReadFile;
using bloom_lfs::test::TempDir;
using bloom_lfs::test::WriteFile;
using test::DeviceCall;
using test::FirstDifference;
using test::MemoryDevice;
using test::StreamBytes;

// That the two ways to append do not mix is the compiler's business.
template <typename Store, typename = void>
struct HasAppend : std::false_type {};
template <typename Store>
struct HasAppend<Store, std::void_t<decltype(std::declval<Store>().Append(ByteView()))>>
    : std::true_type {};
template <typename Store, typename = void>
struct HasReserve : std::false_type {};
template <typename Store>
struct HasReserve<
    Store, std::void_t<decltype(std::declval<Store>().Reserve(1, std::declval<Reservation*>()))>>
    : std::true_type {};
static_assert(HasAppend<DenseStream>::value && !HasReserve<DenseStream>::value);
static_assert(HasReserve<RecordLog>::value && !HasAppend<RecordLog>::value);

std::unique_ptr<Device> DeviceAt(const std::string& path) {
  std::unique_ptr<FileDevice> device;
  EXPECT_TRUE(FileDevice::Open(path, OpenMode::kAppend, nullptr, &device).ok());
  return device;
}

class OnADeviceTest : public testing::Test {
 protected:
  OnADeviceTest() { options_.ring_directory = dir_ / "rings"; }

  TempDir dir_;
  Runtime runtime_;
  StoreOptions options_;
};

TEST_F(OnADeviceTest, ADenseStreamGoesOnAtItsEnd) {
  for (const size_t before : {0, 1, 4096, 5000}) {
    WriteFile(dir_ / "file", StreamBytes(0, before));
    std::shared_ptr<DenseStream> stream;
    ASSERT_TRUE(DenseStream::Open(&runtime_, DeviceAt(dir_ / "file"), options_, &stream).ok());
    EXPECT_EQ(stream->size(), before);
    const std::string bytes = StreamBytes(before, 60000);
    ASSERT_TRUE(stream->Append({bytes.data(), bytes.size()}).ok());
    ASSERT_TRUE(stream->Close().ok());
    runtime_.maintenance()->Drain();
    EXPECT_EQ(FirstDifference(ReadFile(dir_ / "file"), StreamBytes(0, before + 60000)), "");
  }
}

TEST_F(OnADeviceTest, ANewFileHasNoNameBeforeItHasARing) {
  std::unique_ptr<FileDevice> device;
  ASSERT_TRUE(FileDevice::Open(dir_ / "new", OpenMode::kTruncate, nullptr, &device).ok());
  if (bloom_lfs::test::ListTree(dir_.path()).count("new") > 0) {
    GTEST_SKIP() << "this file system has no files without a name";
  }
  std::shared_ptr<DenseStream> stream;
  ASSERT_TRUE(DenseStream::Open(&runtime_, std::move(device), options_, &stream).ok());
  EXPECT_EQ(ReadFile(dir_ / "new"), "");
  EXPECT_TRUE(stream->Close().ok());
}

TEST_F(OnADeviceTest, ARecordLogBeginsOnAnEmptyOne) {
  WriteFile(dir_ / "file", "x");
  std::shared_ptr<RecordLog> log;
  const Status status = RecordLog::Open(&runtime_, DeviceAt(dir_ / "file"), options_, &log);
  EXPECT_EQ(status.code(), Status::Code::kInvalidArgument);
  EXPECT_EQ(ReadFile(dir_ / "file"), "x");
  ASSERT_TRUE(RecordLog::Open(&runtime_, DeviceAt(dir_ / "other"), options_, &log).ok());
  Reservation reservation;
  ASSERT_TRUE(log->Reserve(5, &reservation).ok());
  ASSERT_TRUE(reservation.Write({"bytes", 5}).ok());
  ASSERT_TRUE(log->Close().ok());
  EXPECT_EQ(ReadFile(dir_ / "other").substr(0, 5), "bytes");
}

// --- what a full buffer does ---

class FullBufferTest : public OnADeviceTest {
 protected:
  // Many rings, before and after the background has done what a full buffer asks of it.
  void WriteMuch(std::unique_ptr<MemoryDevice> device, const Pace& predecessor) {
    device_ = device.get();
    ASSERT_TRUE(DenseStream::Open(&runtime_, std::move(device), options_, &stream_).ok());
    stream_->TakeOver(predecessor);
    for (int i = 0; i < 100; ++i) {
      const std::string bytes = StreamBytes(stream_->size(), 3000);
      ASSERT_TRUE(stream_->Append({bytes.data(), bytes.size()}).ok());
      if (i == 50) {
        runtime_.maintenance()->Drain();
      }
    }
  }
  void CloseAndCheck() {
    ASSERT_TRUE(stream_->Close().ok());
    runtime_.maintenance()->Drain();
    EXPECT_EQ(FirstDifference(device_->Content(), StreamBytes(0, 300000)), "");
  }

  // It may have cooled again meanwhile: a slow machine's device is outrun by anybody.
  bool HasBeenHot() const { return device_->Count(DeviceCall::kBypassCache) > 0; }

  std::shared_ptr<DenseStream> stream_;
  MemoryDevice* device_ = nullptr;
};

TEST_F(FullBufferTest, MakesAStreamHot) {
  WriteMuch(std::make_unique<MemoryDevice>(), {});
  EXPECT_TRUE(HasBeenHot());
  CloseAndCheck();
}

// There it costs a sync of the ring's header, space beyond the tail and direct writes, for nothing.
TEST_F(FullBufferTest, LeavesAStreamColdWhereBlocksAreCopiedOnWrite) {
  auto device = std::make_unique<MemoryDevice>();
  device->CopyOnWrite();
  options_.buffer_bytes = 64 << 10;
  options_.buffer_count = 64;
  WriteMuch(std::move(device), {});
  EXPECT_LE(ReadFile(stream_->ring_path()).size(), 600U << 10);
  EXPECT_FALSE(HasBeenHot());
  EXPECT_EQ(device_->Trace({DeviceCall::kBypassCache, DeviceCall::kSetSize, DeviceCall::kSync,
                            DeviceCall::kOpenAside}),
            std::vector<std::string>{});
  CloseAndCheck();
}

TEST_F(FullBufferTest, LeavesAStreamColdWhosePredecessorHasOutrunTheDevice) {
  Pace burst;
  burst.bytes = 1 << 20;
  burst.cache.through_cache = true;
  burst.cache.since_ns = SteadyNowNs();
  burst.cache.hold_ns = int64_t{1} << 40;
  WriteMuch(std::make_unique<MemoryDevice>(), burst);
  EXPECT_FALSE(HasBeenHot());
  CloseAndCheck();
}

}  // namespace
}  // namespace lss
