// How devices hand finished writes back: a device that is no file, and reports from threads of its
// own, is served like a file.
#include "lss/device/async_writer.h"

#include <errno.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "lss/base/unique_fd.h"
#include "lss/dense_stream.h"
#include "lss/device/blocking_writer.h"
#include "lss/device/uring_writer.h"
#include "tests/support/memory_device.h"
#include "tests/support/stream_bytes.h"
#include "tests/support/temp_dir.h"

namespace lss {
namespace {

using test::FirstDifference;
using test::MemoryDevice;
using test::StreamBytes;

class Client final : public FlushClient {
 public:
  explicit Client(Device* device) : device_(device) {}
  void NextWrites(std::vector<WriteOp>* /*ops*/) override {}
  void OnWriteDone(const WriteOp& /*op*/, const Status& /*status*/) override {}
  bool InOrder() const override { return false; }
  Device* device() override { return device_; }

 private:
  Device* device_;
};

class AsyncWriterTest : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (!GetParam()) {
      writer_ = std::make_unique<BlockingWriter>(wake_.get());
      return;
    }
    std::unique_ptr<UringWriter> uring;
    if (Status status = UringWriter::Create(wake_.get(), nullptr, &uring); !status.ok()) {
      GTEST_SKIP() << "this kernel refuses io_uring: " << status.ToString();
    }
    writer_ = std::move(uring);
  }
  size_t Reap() {
    size_t count = 0;
    writer_->Reap([&](FlushClient*, const WriteOp&, const Status& status) {
      ++count;
      failures_ += status.ok() ? 0 : 1;
    });
    return count;
  }

  UniqueFd wake_{eventfd(0, EFD_CLOEXEC)};
  std::unique_ptr<AsyncWriter> writer_;
  size_t failures_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Writers, AsyncWriterTest, testing::Bool(),
                         [](const auto& kind) { return kind.param ? "uring" : "blocking"; });

TEST_P(AsyncWriterTest, ADeviceWithoutAWayOfItsOwnBlocksAndEveryOpComesBackOnce) {
  MemoryDevice device;
  Client client(&device);
  const std::string bytes = StreamBytes(0, 8192);
  device.Fail({test::DeviceCall::kWrite, EIO, 1});
  device.Submit(writer_.get(), &client,
                {{bytes.data(), 4096, 0}, {bytes.data() + 4096, 4096, 4096}});
  EXPECT_EQ(Reap(), 2U);
  EXPECT_EQ(failures_, 1U);
  EXPECT_EQ(FirstDifference(device.Content(), StreamBytes(0, 4096)), "");
}

TEST_P(AsyncWriterTest, WhatAnotherThreadPostsEndsAWaitingReap) {
  MemoryDevice device;
  Client client(&device);
  std::thread network([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    for (int i = 0; i < 100; ++i) {
      writer_->Post(&client, {nullptr, 4096, 0}, Status::Ok());
    }
  });
  size_t reaped = 0;
  while (reaped < 100) {
    reaped += Reap();
  }
  network.join();
  EXPECT_EQ(reaped, 100U);
}

// Writes on a thread of its own, as the answers of a network come.
class RemoteDevice final : public Device {
 public:
  explicit RemoteDevice(MemoryDevice* memory) : memory_(memory) {}
  ~RemoteDevice() override {
    for (std::thread& thread : answers_) {
      thread.join();
    }
  }
  void Submit(AsyncWriter* writer, FlushClient* client, const std::vector<WriteOp>& ops) override {
    answers_.emplace_back([this, writer, client, ops] {
      for (const WriteOp& op : ops) {
        const iovec piece = {const_cast<char*>(op.data), op.length};
        writer->Post(client, op, memory_->Write({piece}, op.offset, WriteKind::kPlain));
      }
    });
  }
  const std::string& name() const override { return memory_->name(); }
  Status Identify(StreamId* id, uint64_t* size) override { return memory_->Identify(id, size); }
  Status Write(const std::vector<iovec>& pieces, Address offset, WriteKind kind) override {
    return memory_->Write(pieces, offset, kind);
  }
  Status Sync() override { return memory_->Sync(); }
  Status Allocate(Address offset, uint64_t length) override {
    return memory_->Allocate(offset, length);
  }
  Status SetSize(uint64_t size) override { return memory_->SetSize(size); }
  Status OpenAside(std::unique_ptr<Device>* aside) override { return memory_->OpenAside(aside); }
  Status Read(Address offset, size_t length, char* destination, size_t* read) override {
    return memory_->Read(offset, length, destination, read);
  }

 private:
  MemoryDevice* const memory_;
  std::vector<std::thread> answers_;  // the flusher's thread only
};

TEST(DeviceOfOnesOwn, CarriesAWholeStream) {
  for (const WriteMode mode : {WriteMode::kSerializedWrites, WriteMode::kTailLocalizedWrites}) {
    const bloom_lfs::test::TempDir directory;
    MemoryDevice memory;
    Runtime runtime;
    StoreOptions options;
    options.write_mode = mode;
    options.ring_directory = directory / "rings";
    std::shared_ptr<DenseStream> stream;
    ASSERT_TRUE(
        DenseStream::Open(&runtime, std::make_unique<RemoteDevice>(&memory), options, &stream)
            .ok());
    const std::string bytes = StreamBytes(0, 300000);
    for (size_t at = 0; at < bytes.size(); at += 1000) {
      ASSERT_TRUE(stream->Append({bytes.data() + at, 1000}).ok());
      if (at % 30000 == 0) {
        ASSERT_TRUE(stream->Sync().ok());
        ASSERT_EQ(stream->durable(), at + 1000);
      }
    }
    ASSERT_TRUE(stream->Close().ok());
    runtime.maintenance()->Drain();
    EXPECT_EQ(FirstDifference(memory.Content(), bytes), "");
    EXPECT_EQ(memory.Violations(), "");
    stream.reset();
  }
}

TEST(DeviceOfOnesOwn, NeedsARingDirectory) {
  MemoryDevice memory;
  Runtime runtime;
  std::shared_ptr<DenseStream> stream;
  const Status status =
      DenseStream::Open(&runtime, std::make_unique<RemoteDevice>(&memory), StoreOptions(), &stream);
  EXPECT_EQ(status.code(), Status::Code::kInvalidArgument);
  EXPECT_NE(status.message().find("ring_directory"), std::string::npos) << status.message();
}

}  // namespace
}  // namespace lss
