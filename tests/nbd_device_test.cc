// An export as a device, with a server that stays.
#include "lss/nbd/nbd_device.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/aligned_memory.h"
#include "tests/support/files.h"
#include "tests/support/nbd_server.h"
#include "tests/support/stream_bytes.h"
#include "tests/support/temp_dir.h"

namespace lss {
namespace {

using bloom_lfs::test::ReadFile;
using bloom_lfs::test::WriteFile;
using std::chrono::milliseconds;
using test::AlignedMemory;
using test::FirstDifference;
using test::NbdServer;
using test::StreamBytes;
using Clock = std::chrono::steady_clock;

class NbdDeviceTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string why = test::WhyNoNbdServer(); !why.empty()) {
      GTEST_SKIP() << why;
    }
  }
  void Open(const NbdServer& server) {
    const Status status = NbdDevice::Open(server.uri(), {}, &device_);
    ASSERT_TRUE(status.ok()) << status.ToString();
  }
  Status Write(Address offset, size_t length, WriteKind kind = WriteKind::kPlain,
               size_t piece = 1 << 20) {
    const AlignedMemory memory(StreamBytes(offset, length));
    std::vector<iovec> pieces;
    for (size_t at = 0; at < length; at += piece) {
      pieces.push_back({memory.data() + at, std::min(piece, length - at)});
    }
    return device_->Write(pieces, offset, kind);
  }
  std::string Read(Address offset, size_t length) {
    std::string bytes(length, '?');
    size_t read = 0;
    const Status status = device_->Read(offset, length, bytes.data(), &read);
    EXPECT_TRUE(status.ok()) << status.ToString();
    bytes.resize(read);
    return bytes;
  }
  // What the server's log says of its calls, one "Write ... fua=1" or "Flush" a line. As the lines
  // may come after the answer, they are waited for.
  size_t Logged(const std::string& part, size_t expected) const {
    const auto deadline = Clock::now() + milliseconds(2000);
    size_t count = 0;
    do {
      const std::string log = ReadFile(directory_ / "log");
      count = 0;
      for (size_t at = log.find(part); at != std::string::npos; at = log.find(part, at + 1)) {
        ++count;
      }
    } while (count < expected && Clock::now() < deadline);
    return count;
  }
  std::string LogFile() const { return "logfile=" + directory_ / "log"; }

  bloom_lfs::test::TempDir directory_;
  std::unique_ptr<Device> device_;
};

TEST_F(NbdDeviceTest, WhatIsWrittenIsRead) {
  NbdServer server({"memory", "8M"});
  Open(server);
  EXPECT_EQ(device_->name(), server.uri());
  EXPECT_TRUE(device_->overwrites_in_place());
  ASSERT_TRUE(Write(4096, 3 << 20, WriteKind::kPlain, 12288).ok());
  EXPECT_EQ(FirstDifference(Read(4096, 3 << 20), StreamBytes(4096, 3 << 20)), "");
  EXPECT_EQ(Read(5000, 77), StreamBytes(5000, 77));
  EXPECT_EQ(Read((8 << 20) - 10, 100), std::string(10, '\0')) << "short at the end";
  EXPECT_EQ(Read(9 << 20, 100), "");
  EXPECT_TRUE(device_->Write({}, 0, WriteKind::kDurable).ok());
}

TEST_F(NbdDeviceTest, TheSizeIsTheExports) {
  NbdServer server({"memory", "1M"});
  Open(server);
  StreamId id;
  uint64_t size = 0;
  ASSERT_TRUE(device_->Identify(&id, &size).ok());
  EXPECT_EQ(size, 1U << 20);
  EXPECT_EQ(device_->SizeLimit(), 1U << 20);
  EXPECT_TRUE(device_->SetSize(0).ok());
  EXPECT_TRUE(device_->SetSize(1 << 20).ok());
  EXPECT_TRUE(device_->Allocate(0, 1 << 20).ok());
  const Status refused[] = {device_->SetSize((1 << 20) + 1), device_->Allocate(1 << 20, 1),
                            device_->Allocate(UINT64_MAX, UINT64_MAX),
                            Write((1 << 20) - 4096, 8192)};
  for (const Status& status : refused) {
    EXPECT_EQ(status.code(), Status::Code::kNoSpace) << status.ToString();
    EXPECT_NE(status.message().find("1048576"), std::string::npos) << status.message();
  }
  EXPECT_EQ(Read((1 << 20) - 4096, 4096), std::string(4096, '\0')) << "nothing was written";
}

TEST_F(NbdDeviceTest, IsTheSameStreamWheneverItIsOpened) {
  NbdServer server({"memory", "1M"});
  NbdServer other({"memory", "1M"});
  Open(server);
  StreamId id;
  StreamId aside_id;
  StreamId other_id;
  uint64_t size = 0;
  ASSERT_TRUE(device_->Identify(&id, &size).ok());
  std::unique_ptr<Device> aside;
  ASSERT_TRUE(device_->OpenAside(&aside).ok());
  ASSERT_TRUE(aside->Identify(&aside_id, &size).ok());
  Open(other);
  ASSERT_TRUE(device_->Identify(&other_id, &size).ok());
  EXPECT_TRUE(id.Same(aside_id));
  EXPECT_FALSE(id.Same(other_id));
}

TEST_F(NbdDeviceTest, ADeviceAsideReachesTheSameBytes) {
  NbdServer server({"memory", "1M"});
  Open(server);
  std::unique_ptr<Device> aside;
  ASSERT_TRUE(device_->OpenAside(&aside).ok());
  ASSERT_TRUE(Write(0, 8192).ok());
  char bytes[8192];
  size_t read = 0;
  ASSERT_TRUE(aside->Read(0, sizeof(bytes), bytes, &read).ok());
  EXPECT_EQ(std::string(bytes, read), StreamBytes(0, 8192));
  EXPECT_TRUE(aside->Sync().ok());
}

TEST_F(NbdDeviceTest, ADurableWriteCarriesTheFlagAndNeedsNoFlush) {
  NbdServer server({"--filter=log", "memory", "1M", LogFile()});
  Open(server);
  ASSERT_TRUE(Write(0, 4096, WriteKind::kDurable).ok());
  EXPECT_EQ(Logged("fua=1", 1), 1U);
  EXPECT_EQ(Logged("Flush", 0), 0U);
  ASSERT_TRUE(Write(0, 4096, WriteKind::kPlain).ok());
  EXPECT_EQ(Logged("fua=0", 1), 1U);
  ASSERT_TRUE(device_->Sync().ok());
  EXPECT_GE(Logged("Flush", 1), 1U);
}

TEST_F(NbdDeviceTest, WithoutFuaADurableWriteIsFlushed) {
  NbdServer server({"--filter=fua", "--filter=log", "memory", "1M", LogFile()});
  Open(server);
  ASSERT_TRUE(Write(0, 4096, WriteKind::kPlain).ok());
  EXPECT_EQ(Logged("Flush", 0), 0U);
  ASSERT_TRUE(Write(0, 4096, WriteKind::kDurable).ok());
  EXPECT_GE(Logged("Flush", 1), 1U);
  EXPECT_EQ(Logged("fua=1", 0), 0U);
}

TEST_F(NbdDeviceTest, WithoutFlushEveryWriteIsDurable) {
  const std::string at = "cd '" + directory_.path() + "'; ";
  NbdServer server({"eval", "get_size=echo 1048576", "can_write=exit 0", "can_flush=exit 3",
                    "can_fua=echo native", "pread=head -c $3 /dev/zero",
                    "pwrite=" + at + "echo \"<$5>\" >>log; cat >/dev/null"});
  Open(server);
  ASSERT_TRUE(Write(0, 4096, WriteKind::kPlain).ok());
  EXPECT_EQ(ReadFile(directory_ / "log"), "<fua>\n");
  EXPECT_TRUE(device_->Sync().ok());
}

TEST_F(NbdDeviceTest, LargeWritesAndReadsAreSplitAsTheServerWants) {
  NbdServer server({"--filter=blocksize-policy", "--filter=log", "memory", "4M", LogFile(),
                    "blocksize-minimum=512", "blocksize-preferred=4096", "blocksize-maximum=65536",
                    "blocksize-error-policy=error"});
  Open(server);
  ASSERT_TRUE(Write(4096, (1 << 20) + 4096, WriteKind::kDurable, 200 << 10).ok());
  EXPECT_EQ(FirstDifference(Read(4096, (1 << 20) + 4096), StreamBytes(4096, (1 << 20) + 4096)), "");
  EXPECT_EQ(Read(5000, 70000), StreamBytes(5000, 70000)) << "not aligned as the server wants it";
  const Status status = Write(100, 4096);
  EXPECT_EQ(status.code(), Status::Code::kInvalidArgument);
  EXPECT_NE(status.message().find("multiples of 512"), std::string::npos) << status.message();
}

TEST_F(NbdDeviceTest, ManyWritesAreUnderWayAtOnceOverOneConnection) {
  NbdServer server(
      {"-t", "16", "--filter=delay", "--filter=log", "memory", "16M", LogFile(), "wdelay=200ms"});
  Open(server);
  const auto begin = Clock::now();
  std::vector<std::thread> threads;
  for (Address t = 0; t < 16; ++t) {
    threads.emplace_back([this, t] {
      EXPECT_TRUE(Write(t << 20, 4096, WriteKind::kDurable).ok());
      EXPECT_TRUE(Write((t << 20) + 4096, 4096, WriteKind::kDurable).ok());
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  // One after the other they would take 6.4 s.
  EXPECT_LT(Clock::now() - begin, milliseconds(3000));
  EXPECT_EQ(Logged("Connect", 1), Logged("Connect", 0));
  for (Address t = 0; t < 16; ++t) {
    EXPECT_EQ(Read(t << 20, 8192), StreamBytes(t << 20, 8192));
  }
  EXPECT_EQ(Logged("Connect export", 1), 1U);
}

TEST_F(NbdDeviceTest, ThePiecesOfOneWriteAreUnderWayAtOnce) {
  NbdServer server({"-t", "16", "--filter=delay", "memory", "1M", "wdelay=200ms"});
  Open(server);
  const auto begin = Clock::now();
  ASSERT_TRUE(Write(0, 16 * 4096, WriteKind::kDurable, 4096).ok());
  EXPECT_LT(Clock::now() - begin, milliseconds(1600));
}

TEST_F(NbdDeviceTest, ReadsThatAreMadeTogetherAreUnderWayAtOnce) {
  NbdServer server({"--filter=delay", "memory", "4M", "rdelay=100ms"});
  Open(server);
  ASSERT_TRUE(Write(0, 1 << 20).ok());
  std::vector<std::string> bytes(16, std::string(4096, '?'));
  std::vector<ReadOp> reads;
  for (Address at = 0; at < bytes.size(); ++at) {
    reads.push_back({at * 8192, bytes[at].size(), bytes[at].data()});
  }
  const auto begin = Clock::now();
  const Status status = device_->ReadTogether(reads);
  EXPECT_TRUE(status.ok()) << status.ToString();
  EXPECT_LT(Clock::now() - begin, milliseconds(1000));
  for (Address at = 0; at < bytes.size(); ++at) {
    EXPECT_EQ(bytes[at], StreamBytes(at * 8192, 4096)) << at;
  }
  EXPECT_TRUE(device_->ReadTogether({}).ok());
  reads.back().offset = 4 << 20;
  EXPECT_EQ(device_->ReadTogether(reads).code(), Status::Code::kNoSpace);
  EXPECT_TRUE(device_->ReadTogether({{4097, 3, bytes[0].data()}}).ok());
  EXPECT_EQ(bytes[0].substr(0, 3), StreamBytes(0, 8192).substr(4097, 3)) << "of any length";
}

TEST_F(NbdDeviceTest, TheServersErrorsAreTheCallsAndPass) {
  NbdServer server({"--filter=error", "memory", "1M", "error-pwrite=EIO", "error-pwrite-rate=100%",
                    "error-pread=ENOMEM", "error-pread-rate=100%",
                    "error-file=" + directory_ / "fail"});
  Open(server);
  ASSERT_TRUE(Write(0, 4096).ok());
  WriteFile(directory_ / "fail", "");
  const Status status = Write(4096, 8192, WriteKind::kDurable);
  EXPECT_EQ(status.code(), Status::Code::kIoError);
  EXPECT_EQ(status.error_number(), EIO);
  EXPECT_NE(status.message().find(server.uri()), std::string::npos) << status.message();
  EXPECT_NE(status.message().find("at offset 4096"), std::string::npos) << status.message();
  char byte = 0;
  size_t read = 1;
  EXPECT_EQ(device_->Read(0, 1, &byte, &read).error_number(), ENOMEM);
  EXPECT_EQ(read, 0U);
  ASSERT_EQ(unlink((directory_ / "fail").c_str()), 0);
  EXPECT_TRUE(Write(4096, 8192).ok());
  EXPECT_EQ(Read(0, 12288), StreamBytes(0, 12288));
}

}  // namespace
}  // namespace lss
