// An export as the page store uses it: durable, without patience, and gone once it is gone.
#include "lss/pages/export_device.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/aligned_memory.h"
#include "tests/support/circular_record_log.h"
#include "tests/support/memory_device.h"
#include "tests/support/stream_bytes.h"
#include "tests/support/temp_dir.h"

namespace lss {
namespace {

using test::AlignedMemory;
using test::DeviceCall;
using test::Lines;
using test::MemoryDevice;
using test::StreamBytes;

constexpr uint64_t kMiB = 1 << 20;

// A memory device behind a connection that can be lost.
class LosableDevice final : public Device {
 public:
  MemoryDevice memory;
  bool lost = false;
  int calls = 0;

  const std::string& name() const override { return memory.name(); }
  Status Identify(StreamId* id, uint64_t* size) override { return memory.Identify(id, size); }
  Status Write(const std::vector<iovec>& pieces, Address offset, WriteKind kind) override {
    return Answer([&] { return memory.Write(pieces, offset, kind); });
  }
  Status Sync() override {
    return Answer([&] { return memory.Sync(); });
  }
  Status Allocate(Address offset, uint64_t length) override {
    return memory.Allocate(offset, length);
  }
  Status SetSize(uint64_t size) override { return memory.SetSize(size); }
  Status OpenAside(std::unique_ptr<Device>* aside) override { return memory.OpenAside(aside); }
  Status Read(Address offset, size_t length, char* destination, size_t* read) override {
    return Answer([&] { return memory.Read(offset, length, destination, read); });
  }

 private:
  template <typename Call>
  Status Answer(const Call& call) {
    ++calls;
    return lost ? Status::IoError("no connection") : call();
  }
};

class ExportDeviceTest : public testing::Test {
 protected:
  ExportDeviceTest() {
    auto losable = std::make_unique<LosableDevice>();
    losable_ = losable.get();
    EXPECT_TRUE(losable->memory.SetSize(6 * kMiB).ok());
    device_ = std::make_shared<ExportDevice>(std::move(losable));
  }
  Status Write(Address offset) {
    const AlignedMemory memory(StreamBytes(offset, 4096));
    return device_->Write({{memory.data(), 4096}}, offset, WriteKind::kPlain);
  }
  // Results of reading these pages together.
  std::vector<int64_t> ReadPages(const std::vector<Address>& pages) {
    std::vector<std::string> bytes(pages.size(), std::string(4096, '?'));
    std::vector<RangeRead> reads;
    for (size_t i = 0; i < pages.size(); ++i) {
      reads.push_back({pages[i] * 4096, 4096, bytes[i].data(), 0});
    }
    device_->ReadRanges(&reads);
    std::vector<int64_t> results;
    for (size_t i = 0; i < pages.size(); ++i) {
      results.push_back(reads[i].result);
      EXPECT_TRUE(reads[i].result != 4096 || bytes[i] == StreamBytes(pages[i] * 4096, 4096)) << i;
    }
    return results;
  }

  LosableDevice* losable_ = nullptr;
  std::shared_ptr<ExportDevice> device_;
};

TEST_F(ExportDeviceTest, EveryWriteIsDurable) {
  ASSERT_TRUE(Write(4096).ok());
  EXPECT_EQ(losable_->memory.Trace({DeviceCall::kWrite}), Lines({"write 4096+4096 durable"}));
}

TEST_F(ExportDeviceTest, ALostServerIsNotAskedAgain) {
  ASSERT_TRUE(Write(0).ok());
  EXPECT_TRUE(device_->gone().ok());
  losable_->lost = true;
  EXPECT_EQ(Write(0).message(), "no connection");
  EXPECT_EQ(device_->gone().message(), "no connection");
  losable_->lost = false;
  const int calls = losable_->calls;
  EXPECT_FALSE(Write(0).ok());
  EXPECT_FALSE(device_->Sync().ok());
  EXPECT_EQ(ReadPages({0, 0}), std::vector<int64_t>(2, -EIO));
  EXPECT_EQ(losable_->calls, calls);
}

TEST_F(ExportDeviceTest, WhatTheServerRefusesIsNoLossOfIt) {
  losable_->memory.Fail({DeviceCall::kWrite, ENOSPC});
  losable_->memory.Fail({DeviceCall::kRead, EIO});
  EXPECT_FALSE(Write(0).ok());
  char bytes[4096];
  size_t read = 0;
  EXPECT_FALSE(device_->Read(0, sizeof(bytes), bytes, &read).ok());
  EXPECT_TRUE(device_->gone().ok());
  EXPECT_TRUE(Write(0).ok());
}

TEST_F(ExportDeviceTest, OfReadsThatAreMadeTogetherEachHasItsResult) {
  for (const Address page : {0, 1, 2}) {
    ASSERT_TRUE(Write(page * 4096).ok());
  }
  EXPECT_EQ(ReadPages({2, 0, 1}), std::vector<int64_t>(3, 4096));
  losable_->memory.Fail({DeviceCall::kRead, EIO});       // together
  losable_->memory.Fail({DeviceCall::kRead, ENXIO, 2});  // alone, the second
  EXPECT_EQ(ReadPages({2, 0, 1}), (std::vector<int64_t>{4096, -ENXIO, 4096}));
  EXPECT_EQ(ReadPages({}), std::vector<int64_t>());
}

TEST_F(ExportDeviceTest, CarriesACircularLog) {
  bloom_lfs::test::TempDir directory;
  for (const bool use_io_uring : {true, false}) {
    test::WriteElevenRound(device_, directory / "ring", use_io_uring);
    test::ExpectLastFourOfEleven(losable_->memory.Content());
    EXPECT_EQ(losable_->memory.Violations(), "");
  }
}

}  // namespace
}  // namespace lss
