// What becomes of requests when the connection is lost.
#include "lss/nbd/nbd_client.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "lss/nbd/nbd_device.h"
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

constexpr size_t kExportBytes = 4 << 20;

class NbdClientTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string why = test::WhyNoNbdServer(); !why.empty()) {
      GTEST_SKIP() << why;
    }
    WriteFile(File(), std::string(kExportBytes, '\0'));
  }
  std::string File() const { return directory_ / "export"; }
  void Open(const std::string& uri, uint32_t reconnect_for_ms = 20000,
            uint32_t answer_within_ms = 0) {
    RemoteOptions options;
    options.reconnect_for_ms = reconnect_for_ms;
    options.read_within_ms = answer_within_ms;
    options.write_within_ms = answer_within_ms;
    options.warn = [this](const std::string& line) {
      const std::lock_guard<std::mutex> lock(mutex_);
      warnings_.push_back(line);
    };
    const Status status = NbdDevice::Open(uri, options, &device_);
    ASSERT_TRUE(status.ok()) << status.ToString();
  }
  Status Write(Address offset, size_t length = 4096, WriteKind kind = WriteKind::kDurable) {
    const AlignedMemory memory(StreamBytes(offset, length));
    return device_->Write({{memory.data(), length}}, offset, kind);
  }
  size_t Warnings(const std::string& part) {
    const std::lock_guard<std::mutex> lock(mutex_);
    size_t count = 0;
    for (const std::string& line : warnings_) {
      count += line.find(part) != std::string::npos ? 1 : 0;
    }
    return count;
  }
  // A server that does as the shell says, and notes it in "calls". What it has written but not
  // flushed is in "cache", and lost if it is killed. While there is a file "hold", it flushes
  // never.
  std::vector<std::string> CachingServer() const {
    const std::string at = "cd '" + directory_.path() + "'; ";
    return {"eval",
            "get_size=echo " + std::to_string(kExportBytes),
            "can_write=exit 0",
            "can_flush=exit 0",
            "can_fua=echo none",
            "thread_model=echo parallel",
            "pread=" + at + "dd if=cache iflag=skip_bytes,count_bytes skip=$4 count=$3 status=none",
            "pwrite=" + at +
                "echo write $4 $3 >>calls; dd of=cache oflag=seek_bytes seek=$4 conv=notrunc "
                "status=none",
            "flush=" + at +
                "echo flush >>calls; while [ -e hold ]; do sleep 0.02; done; cp cache export"};
  }
  bool CallsCome(const std::string& expected) const {
    const auto deadline = Clock::now() + std::chrono::seconds(20);
    while (ReadFile(directory_ / "calls") != expected && Clock::now() < deadline) {
      std::this_thread::sleep_for(milliseconds(5));
    }
    return ReadFile(directory_ / "calls") == expected;
  }

  bloom_lfs::test::TempDir directory_;
  std::mutex mutex_;
  std::vector<std::string> warnings_;
  std::unique_ptr<Device> device_;
};

TEST_F(NbdClientTest, WritesSurviveServersThatAreKilledUnderThem) {
  NbdServer server({"--filter=delay", "file", File(), "wdelay=2ms"});
  Open(server.uri());
  constexpr int kThreads = 8;
  constexpr size_t kEach = kExportBytes / kThreads;
  std::vector<std::thread> threads;
  std::vector<Status> results(kThreads);
  std::atomic<int> written{0};
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (Address at = t * kEach; at < (t + 1) * kEach && results[t].ok(); at += 4096) {
        results[t] = Write(at);
        ++written;
      }
    });
  }
  for (int kill = 0; kill < 3; ++kill) {
    const auto deadline = Clock::now() + std::chrono::seconds(20);
    for (const int before = written; written < before + 100 && Clock::now() < deadline;) {
      std::this_thread::sleep_for(milliseconds(1));
    }
    server.Kill();
    std::this_thread::sleep_for(milliseconds(30));
    server.Start();
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  for (const Status& result : results) {
    EXPECT_TRUE(result.ok()) << result.ToString();
  }
  EXPECT_EQ(FirstDifference(ReadFile(File()), StreamBytes(0, kExportBytes)), "");
  EXPECT_EQ(Warnings("lost"), 3U);
  EXPECT_EQ(Warnings("again"), 3U);
  EXPECT_TRUE(device_->Sync().ok()) << "durable writes leave nothing that could be lost";
}

TEST_F(NbdClientTest, ReadsAndLargeWritesAreRepeatedToo) {
  NbdServer server({"--filter=delay", "file", File(), "delay-read=100ms", "delay-write=100ms"});
  Open(server.uri());
  const AlignedMemory memory(StreamBytes(0, 1 << 20));
  std::vector<iovec> pieces;
  for (size_t at = 0; at < memory.size(); at += 64 << 10) {
    pieces.push_back({memory.data() + at, 64 << 10});
  }
  std::thread writer([&] {
    EXPECT_TRUE(device_->Write(pieces, 0, WriteKind::kDurable).ok());
    std::string bytes(1 << 20, '?');
    size_t read = 0;
    EXPECT_TRUE(device_->Read(0, bytes.size(), bytes.data(), &read).ok());
    EXPECT_EQ(FirstDifference(bytes, StreamBytes(0, 1 << 20)), "");
  });
  for (int kill = 0; kill < 2; ++kill) {
    std::this_thread::sleep_for(milliseconds(50));
    server.Kill();
    server.Start();
  }
  writer.join();
  EXPECT_GE(Warnings("lost"), 1U);
}

TEST_F(NbdClientTest, AServerThatIsGoneForGoodIsAnErrorInBoundedTime) {
  NbdServer server({"file", File()});
  Open(server.uri(), /*reconnect_for_ms=*/600);
  ASSERT_TRUE(Write(0).ok());
  server.Kill();
  auto begin = Clock::now();
  Status status = Write(8192);
  EXPECT_GE(Clock::now() - begin, milliseconds(500)) << "it did not try";
  EXPECT_LT(Clock::now() - begin, milliseconds(5000));
  EXPECT_EQ(status.code(), Status::Code::kIoError);
  for (const std::string& part : {std::string("write"), server.uri(), std::string("offset 8192"),
                                  std::string("Connection refused"), std::string("600 ms"),
                                  std::string("start the server")}) {
    EXPECT_NE(status.message().find(part), std::string::npos)
        << "no '" << part << "' in: " << status.message();
  }
  begin = Clock::now();
  EXPECT_FALSE(Write(8192).ok());
  EXPECT_LT(Clock::now() - begin, milliseconds(550)) << "it had been away for long enough before";
  server.Start();
  status = Write(8192);
  EXPECT_TRUE(status.ok()) << status.ToString();
}

TEST_F(NbdClientTest, ManyCallsFailTogetherWhenTheServerIsGone) {
  NbdServer server({"--filter=delay", "file", File(), "wdelay=5"});
  Open(server.uri(), /*reconnect_for_ms=*/300);
  std::vector<std::thread> threads;
  const auto begin = Clock::now();
  for (Address page = 0; page < 8; ++page) {
    threads.emplace_back([this, page] {
      EXPECT_EQ(Write(page * 4096).code(), Status::Code::kIoError);
      EXPECT_EQ(Write(page * 4096).code(), Status::Code::kIoError);
    });
  }
  std::this_thread::sleep_for(milliseconds(100));
  server.Kill();
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_LT(Clock::now() - begin, milliseconds(4500));
}

TEST_F(NbdClientTest, AHangingServerIsAStalledDiskAndIsWaitedFor) {
  NbdServer server({"file", File()});
  Open(server.uri(), /*reconnect_for_ms=*/100);
  ASSERT_TRUE(Write(0).ok());
  server.Signal(SIGSTOP);
  std::thread writer([this] { EXPECT_TRUE(Write(4096).ok()); });
  std::this_thread::sleep_for(milliseconds(500));
  server.Signal(SIGCONT);
  writer.join();
  EXPECT_EQ(Warnings("lost"), 0U);
}

TEST_F(NbdClientTest, AHangingServerIsLeftByThoseWhoCanDoWithout) {
  for (const auto on : {NbdServer::On::kUnixSocket, NbdServer::On::kLocalhost}) {
    NbdServer server({"memory", "4M"}, on);  // no disk that takes its time
    Open(server.uri(), /*reconnect_for_ms=*/200, /*answer_within_ms=*/300);
    ASSERT_TRUE(Write(0).ok());
    server.Signal(SIGSTOP);
    std::vector<std::thread> threads;
    const auto begin = Clock::now();
    for (Address page = 0; page < 8; ++page) {
      threads.emplace_back([this, page] {
        char bytes[4096];
        size_t read = 0;
        const Status status = page % 2 == 0
                                  ? Write(page * 4096)
                                  : device_->Read(page * 4096, sizeof(bytes), bytes, &read);
        EXPECT_EQ(status.code(), Status::Code::kIoError);
        EXPECT_NE(status.message().find("no answer within 300 ms"), std::string::npos)
            << status.message();
      });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
    EXPECT_GE(Clock::now() - begin, milliseconds(300));
    EXPECT_LT(Clock::now() - begin, milliseconds(4000));
    // A new one under its address: nbdkit itself does not always outlive this.
    server.Kill();
    server.Start();
    const auto deadline = Clock::now() + std::chrono::seconds(20);
    bool found_again = false;
    while (!found_again && Clock::now() < deadline) {
      found_again = Write(8192).ok();
    }
    EXPECT_TRUE(found_again);
    device_.reset();
  }
}

TEST_F(NbdClientTest, AnotherExportUnderTheSameAddressIsRefusedAtOnce) {
  NbdServer server({"memory", "4M"});
  Open(server.uri());
  server.Kill();
  server.Start({"memory", "8M"});
  const auto begin = Clock::now();
  const Status status = Write(0);
  EXPECT_LT(Clock::now() - begin, milliseconds(5000)) << "waiting would not help";
  EXPECT_EQ(status.code(), Status::Code::kIoError);
  EXPECT_NE(status.message().find("8388608 bytes instead of 4194304"), std::string::npos)
      << status.message();
  server.Kill();
  server.Start({"--filter=fua", "memory", "4M"});
  EXPECT_NE(Write(0).message().find("offers less"), std::string::npos);
  server.Kill();
  server.Start({"memory", "4M"});
  EXPECT_TRUE(Write(0).ok());
}

TEST_F(NbdClientTest, WritesThatNoSyncHadCoveredAreNotClaimedAfterALoss) {
  WriteFile(directory_ / "cache", std::string(kExportBytes, '\0'));
  NbdServer server(CachingServer());
  Open(server.uri());
  ASSERT_TRUE(Write(0, 4096, WriteKind::kPlain).ok());
  ASSERT_TRUE(device_->Sync().ok());
  server.Kill();
  server.Start();
  EXPECT_TRUE(device_->Sync().ok()) << "all that was written had been synced";
  ASSERT_TRUE(Write(4096, 4096, WriteKind::kPlain).ok());
  server.Kill();
  WriteFile(directory_ / "cache", ReadFile(File()));
  server.Start();
  Status status = device_->Sync();
  EXPECT_EQ(status.code(), Status::Code::kIoError) << "the bytes are gone";
  EXPECT_NE(status.message().find("open the device anew"), std::string::npos) << status.message();
  EXPECT_FALSE(device_->Sync().ok()) << "another thread may have written them";
  status = Write(4096);
  EXPECT_TRUE(status.ok()) << "it is durable by itself: " << status.ToString();
  EXPECT_EQ(ReadFile(File()).substr(0, 8192), StreamBytes(0, 8192));
}

TEST_F(NbdClientTest, ADurableWriteWithoutFuaIsWrittenAgainIfItsFlushWasLost) {
  WriteFile(directory_ / "cache", std::string(kExportBytes, '\0'));
  WriteFile(directory_ / "hold", "");
  WriteFile(directory_ / "calls", "");
  NbdServer server(CachingServer());
  Open(server.uri());
  std::thread writer([this] {
    const Status status = Write(4096);
    EXPECT_TRUE(status.ok()) << status.ToString();
  });
  const std::string once = "write 4096 4096\nflush\n";
  EXPECT_TRUE(CallsCome(once)) << ReadFile(directory_ / "calls");
  server.Kill();
  unlink((directory_ / "hold").c_str());
  WriteFile(directory_ / "cache", std::string(kExportBytes, '\0'));
  server.Start();
  writer.join();
  EXPECT_EQ(ReadFile(File()).substr(4096, 4096), StreamBytes(4096, 4096));
  EXPECT_TRUE(CallsCome(once + "flush\n" + once)) << ReadFile(directory_ / "calls");
  EXPECT_TRUE(device_->Sync().ok());
}

TEST_F(NbdClientTest, TlsConnectionsAreMadeAnew) {
  if (const std::string why = test::WhyNoNbdServer(true); !why.empty()) {
    GTEST_SKIP() << why;
  }
  test::MakeCertificates(directory_ / "pki", "localhost");
  NbdServer server({"--tls=require", "--tls-certificates=" + directory_ / "pki", "file", File()},
                   NbdServer::On::kLocalhost);
  Open(server.tls_uri(directory_ / "pki"));
  ASSERT_TRUE(Write(0, 1 << 20).ok());
  server.Kill();  // and no SIGPIPE kills us
  std::thread writer([this] {
    for (Address at = 1 << 20; at < (2 << 20); at += 4096) {
      EXPECT_TRUE(Write(at).ok());
    }
  });
  server.Start();
  writer.join();
  EXPECT_EQ(ReadFile(File()).substr(0, 2 << 20), StreamBytes(0, 2 << 20));
}

TEST_F(NbdClientTest, AForkedChildIsToldAndLeavesTheConnectionAlone) {
  NbdServer server({"file", File()});
  Open(server.uri());
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const Status status = Write(0);
    const bool told = status.code() == Status::Code::kIoError &&
                      status.message().find("forked child") != std::string::npos;
    device_.reset();
    _exit(told ? 0 : 1);
  }
  int result = -1;
  ASSERT_EQ(waitpid(child, &result, 0), child);
  EXPECT_EQ(result, 0);
  EXPECT_TRUE(Write(0).ok());
  EXPECT_EQ(Warnings("lost"), 0U);
}

}  // namespace
}  // namespace lss
