#include "lss/runtime/flusher.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "lss/device/file_device.h"
#include "tests/support/aligned_memory.h"
#include "tests/support/files.h"
#include "tests/support/memory_device.h"
#include "tests/support/store_parts.h"
#include "tests/support/stream_bytes.h"
#include "tests/support/temp_dir.h"

namespace lss {
namespace {

using test::AlignedMemory;
using test::DeviceCall;
using test::FirstDifference;
using test::MemoryDevice;
using test::StoreParts;
using test::StreamBytes;

constexpr std::chrono::seconds kPatience(60);

// Has pages to write: page i of the stream goes to offset i * 4096.
class PageClient final : public FlushClient {
 public:
  PageClient(Device* device, size_t pages)
      : device_(device), memory_(StreamBytes(0, pages * 4096)) {}

  void Offer(size_t pages) {
    const std::lock_guard<std::mutex> lock(mutex_);
    offered_ += pages;
  }
  [[nodiscard]] bool AwaitDone(size_t pages) {
    std::unique_lock<std::mutex> lock(mutex_);
    return changed_.wait_for(lock, kPatience, [&] { return done_ >= pages; });
  }
  size_t done() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return done_;
  }

  void NextWrites(std::vector<WriteOp>* ops) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (; taken_ < offered_; ++taken_) {
      ops->push_back({memory_.data() + taken_ * 4096, 4096, taken_ * 4096});
    }
  }
  void OnWriteDone(const WriteOp& /*op*/, const Status& status) override {
    EXPECT_TRUE(status.ok()) << status.ToString();
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      ++done_;
    }
    changed_.notify_all();
  }
  bool InOrder() const override { return true; }
  Device* device() override { return device_; }

 private:
  Device* device_;
  AlignedMemory memory_;
  std::mutex mutex_;
  std::condition_variable changed_;
  size_t offered_ = 0;
  size_t taken_ = 0;
  size_t done_ = 0;
};

TEST(FlusherTest, CarriesARingThatIsMuchSmallerThanTheStream) {
  for (const WriteMode mode : {WriteMode::kSerializedWrites, WriteMode::kTailLocalizedWrites}) {
    const bloom_lfs::test::TempDir directory;
    Flusher flusher(/*use_io_uring=*/false, nullptr);
    const auto parts = StoreParts::Make(directory.path(), test::SmallOptions(mode), &flusher);
    parts->pipeline.AllowWrites(FlushPipeline::Gate::kHot);
    ASSERT_TRUE(parts->Append(300000).ok());
    ASSERT_TRUE(parts->pipeline.AwaitStable(PageFloor(300000)).ok());
    ASSERT_TRUE(parts->tail.Finish().ok());
    EXPECT_EQ(FirstDifference(parts->device.Content().substr(0, 300000), StreamBytes(0, 300000)),
              "");
    EXPECT_EQ(parts->device.Violations(), "");
  }
}

TEST(FlusherTest, OneThreadServesManyClients) {
  Flusher flusher(/*use_io_uring=*/false, nullptr);
  std::vector<std::unique_ptr<MemoryDevice>> devices;
  std::vector<std::shared_ptr<PageClient>> clients;
  for (int i = 0; i < 20; ++i) {
    devices.push_back(std::make_unique<MemoryDevice>());
    clients.push_back(std::make_shared<PageClient>(devices.back().get(), 10));
  }
  for (size_t page = 0; page < 10; ++page) {
    for (const auto& client : clients) {
      client->Offer(1);
      flusher.Request(client);
    }
  }
  for (size_t i = 0; i < clients.size(); ++i) {
    ASSERT_TRUE(clients[i]->AwaitDone(10));
    EXPECT_EQ(devices[i]->Content(), StreamBytes(0, 40960));
  }
}

// A wake-up that falls between the look at the queue and the sleep must not be lost.
TEST(FlusherTest, Trap14_NoRequestIsSleptThrough) {
  Flusher flusher(/*use_io_uring=*/false, nullptr);
  MemoryDevice device;
  const auto client = std::make_shared<PageClient>(&device, 3000);
  for (size_t i = 1; i <= 3000; ++i) {
    client->Offer(1);
    flusher.Request(client);
    ASSERT_TRUE(client->AwaitDone(i)) << "request " << i;
  }
}

TEST(FlusherTest, AClientLivesUntilItsWritesAreDone) {
  Flusher flusher(/*use_io_uring=*/false, nullptr);
  MemoryDevice device;
  auto client = std::make_shared<PageClient>(&device, 1);
  const std::weak_ptr<PageClient> watch = client;
  device.Hold(DeviceCall::kWrite);
  client->Offer(1);
  flusher.Request(client);
  client.reset();
  ASSERT_TRUE(device.AwaitHeld());
  EXPECT_FALSE(watch.expired()) << "its memory is being written";
  device.Release();
  flusher.Stop();
  EXPECT_TRUE(watch.expired());
  EXPECT_EQ(device.Content(), StreamBytes(0, 4096));
}

TEST(FlusherTest, Trap15_StopWaitsForWritesUnderWayAndForRequestsBehindThem) {
  Flusher flusher(/*use_io_uring=*/false, nullptr);
  MemoryDevice first_device;
  MemoryDevice second_device;
  const auto first = std::make_shared<PageClient>(&first_device, 3);
  const auto second = std::make_shared<PageClient>(&second_device, 2);
  first_device.Hold(DeviceCall::kWrite);
  first->Offer(3);
  flusher.Request(first);
  ASSERT_TRUE(first_device.AwaitHeld());
  second->Offer(2);
  flusher.Request(second);
  std::thread stopper([&] {
    flusher.Stop();
    EXPECT_EQ(first->done(), 3U);
    EXPECT_EQ(second->done(), 2U);
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // lets a hasty Stop go wrong
  first_device.Release();
  stopper.join();
}

TEST(FlusherTest, AfterStopTheCallerDoesTheWriting) {
  Flusher flusher(/*use_io_uring=*/false, nullptr);
  flusher.Stop();
  flusher.Stop();
  MemoryDevice device;
  const auto client = std::make_shared<PageClient>(&device, 3);
  client->Offer(3);
  flusher.Request(client);
  EXPECT_EQ(client->done(), 3U);
  EXPECT_EQ(device.Content(), StreamBytes(0, 3 * 4096));
}

TEST(FlusherTest, RequestsThatMeetTheStopAreServedByOneSideOrTheOther) {
  for (int round = 0; round < 50; ++round) {
    Flusher flusher(/*use_io_uring=*/false, nullptr);
    MemoryDevice device;
    const auto client = std::make_shared<PageClient>(&device, 200);
    std::thread requester([&] {
      for (int i = 0; i < 200; ++i) {
        client->Offer(1);
        flusher.Request(client);
      }
    });
    flusher.Stop();
    requester.join();
    ASSERT_EQ(client->done(), 200U) << "round " << round;
  }
}

TEST(FlusherTest, ThroughIoUringAFileGetsTheSameBytes) {
  const bloom_lfs::test::TempDir directory;
  std::vector<std::string> warnings;
  Flusher flusher(/*use_io_uring=*/true,
                  [&](const std::string& line) { warnings.push_back(line); });
  EXPECT_FALSE(flusher.uses_io_uring()) << "nobody has written: no io_uring yet";
  FileDevice device(UniqueFd(open((directory / "file").c_str(), O_RDWR | O_CREAT, 0644)),
                    directory / "file", nullptr);
  device.BypassCache(true);
  const auto client = std::make_shared<PageClient>(&device, 600);
  for (size_t i = 1; i <= 600; i += 3) {
    client->Offer(3);
    flusher.Request(client);
    if (i % 5 == 0) {
      ASSERT_TRUE(client->AwaitDone(i));
    }
  }
  flusher.Stop();
  EXPECT_EQ(client->done(), 600U);
  EXPECT_EQ(
      FirstDifference(bloom_lfs::test::ReadFile(directory / "file"), StreamBytes(0, 600 * 4096)),
      "");
  EXPECT_EQ(flusher.uses_io_uring(), warnings.empty()) << "io_uring, or a word about why not";
}

TEST(FlusherTest, WithoutIoUringItSaysNothing) {
  std::vector<std::string> warnings;
  Flusher flusher(/*use_io_uring=*/false,
                  [&](const std::string& line) { warnings.push_back(line); });
  MemoryDevice device;
  const auto client = std::make_shared<PageClient>(&device, 1);
  client->Offer(1);
  flusher.Request(client);
  flusher.Stop();
  EXPECT_FALSE(flusher.uses_io_uring());
  EXPECT_TRUE(warnings.empty()) << "it was asked for, so there is nothing to warn of";
}

}  // namespace
}  // namespace lss
