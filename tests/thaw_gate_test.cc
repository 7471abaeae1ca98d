// Waiting for a file system's thaw in a system call, and making pages writable without one.

#include "lss/ring/thaw_gate.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <thread>

#include "lss/base/unique_fd.h"
#include "tests/support/files.h"
#include "tests/support/temp_dir.h"

namespace lss {
namespace {

using bloom_lfs::test::ReadFile;
using bloom_lfs::test::TempDir;
using bloom_lfs::test::WriteFile;

std::atomic<int> g_calls{0};
std::atomic<int> g_last_fd{-1};
std::atomic<uint64_t> g_bytes{0};

ssize_t Count(int fd, const void*, size_t size, off_t) {
  g_calls.fetch_add(1);
  g_last_fd.store(fd);
  g_bytes.fetch_add(size);
  return 0;
}

ssize_t Refuse(int, const void*, size_t, off_t) {
  g_calls.fetch_add(1);
  errno = EIO;
  return -1;
}

void AwaitNextMoment() {
  for (const uint64_t before = ThawGate::Moment(); ThawGate::Moment() == before;) {
    std::this_thread::yield();
  }
}

class ThawGateTest : public testing::Test {
 protected:
  ThawGateTest() {
    g_calls = 0;
    g_last_fd = -1;
    g_bytes = 0;
  }
};

TEST_F(ThawGateTest, TheFirstPassAsks) {
  ThawGate gate(&Count);
  gate.Pass(7);
  EXPECT_EQ(g_calls, 1);
  EXPECT_EQ(g_last_fd, 7);
  EXPECT_EQ(g_bytes, 0U);
}

TEST_F(ThawGateTest, EachMomentAsksOnceHoweverManyPass) {
  ThawGate gate(&Count);
  const uint64_t first = ThawGate::Moment();
  for (int i = 0; i < 100000; ++i) {
    gate.Pass(7);
  }
  EXPECT_LE(static_cast<uint64_t>(g_calls), ThawGate::Moment() - first + 1);
  EXPECT_LT(g_calls, 100000);
  const int before = g_calls;
  AwaitNextMoment();
  gate.Pass(7);
  EXPECT_EQ(g_calls, before + 1);
}

TEST_F(ThawGateTest, WhatTheKernelAnswersIsForTheStoreToMeet) {
  ThawGate gate(&Refuse);
  gate.Pass(7);
  EXPECT_EQ(g_calls, 1);
  AwaitNextMoment();
  gate.Pass(7);
  EXPECT_EQ(g_calls, 2);
}

TEST_F(ThawGateTest, ARealFileKeepsItsBytesAndItsSize) {
  const TempDir dir;
  const std::string path = dir / "ring";
  WriteFile(path, "bytes");
  const UniqueFd fd(open(path.c_str(), O_RDWR | O_CLOEXEC));
  ThawGate gate;
  gate.Pass(fd.get());
  AwaitNextMoment();
  gate.Pass(fd.get());
  EXPECT_EQ(ReadFile(path), "bytes");
}

TEST(TouchForWritingTest, ChangesNothingBesideSomebodyWhoStores) {
  alignas(64) char memory[64] = {};
  std::atomic<bool> stop{false};
  std::thread toucher([&] {
    while (!stop) {
      TouchForWriting(memory);
    }
  });
  int lost = 0;
  auto* const byte = reinterpret_cast<std::atomic<char>*>(memory);
  for (int i = 0; i < 200000; ++i) {
    byte->store(static_cast<char>(i));
    lost += byte->load() != static_cast<char>(i) ? 1 : 0;
  }
  stop = true;
  toucher.join();
  EXPECT_EQ(lost, 0);
}

// A page that is mapped for reading only is where a store is told from a load.
TEST(TouchForWritingTest, IsAStoreInTheKernelsEyes) {
  void* const page = mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(page, MAP_FAILED);
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGSEGV, [](int) { _exit(17); });
    TouchForWriting(static_cast<char*>(page));
    _exit(0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 17) << status;
  munmap(page, 4096);
}

}  // namespace
}  // namespace lss
