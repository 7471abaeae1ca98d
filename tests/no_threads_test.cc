// A process that gets no more threads: work is done by those who ask for it, and by threads again
// as soon as there are some.
#include <dlfcn.h>
#include <errno.h>
#include <gtest/gtest.h>
#include <pthread.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "lss/dense_stream.h"
#include "lss/runtime/runtime.h"
#include "tests/support/files.h"
#include "tests/support/stream_bytes.h"
#include "tests/support/temp_dir.h"

namespace {
std::atomic<bool> g_refuse{false};
std::atomic<int> g_asked{0};
}  // namespace

// In the place of libc's.
extern "C" int pthread_create(pthread_t* thread, const pthread_attr_t* attributes,
                              void* (*start)(void*), void* argument) {
  using Function = int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
  static const auto next = reinterpret_cast<Function>(dlsym(RTLD_NEXT, "pthread_create"));
  ++g_asked;
  return g_refuse ? EAGAIN : next(thread, attributes, start, argument);
}

namespace lss {
namespace {

using bloom_lfs::test::ReadFile;
using test::FirstDifference;
using test::StreamBytes;

class NoThreads : public testing::Test {
 protected:
  NoThreads() { Refuse(); }
  ~NoThreads() override { g_refuse = false; }

  static void Refuse() { g_refuse = true; }
  // Whoever was refused may have to wait before asking again.
  static void Allow() {
    g_refuse = false;
    std::this_thread::sleep_for(std::chrono::milliseconds(150));
  }
  WarningSink sink() {
    return [this](const std::string& line) { said_.push_back(line); };
  }
  std::vector<std::string> said_;
};

TEST_F(NoThreads, IsAnErrorThatNamesTheCause) {
  Thread thread;
  const Status status = Thread::Start(
      "some name", [] {}, &thread);
  EXPECT_EQ(status.error_number(), EAGAIN);
  EXPECT_NE(status.message().find("some name"), std::string::npos);
  EXPECT_FALSE(thread.joinable());
}

TEST_F(NoThreads, IsSaidOnceAndTheKernelIsNotAskedEveryTime) {
  ThreadStarter starter("test", sink());
  Thread thread;
  g_asked = 0;
  const auto before = std::chrono::steady_clock::now();
  for (int i = 0; i < 1000; ++i) {
    EXPECT_FALSE(starter.Start([] {}, &thread));
  }
  const auto tries =
      1 + (std::chrono::steady_clock::now() - before) / std::chrono::milliseconds(100);
  EXPECT_LE(g_asked, tries);
  ASSERT_EQ(said_.size(), 1U);
  EXPECT_NE(said_[0].find("pids.max"), std::string::npos) << "names the remedy";
  Allow();
  EXPECT_TRUE(starter.Start([] {}, &thread));
  thread.Join();
}

TEST_F(NoThreads, JobsRunOnTheCallingThreadAndHintsAreDropped) {
  Maintenance maintenance(sink());
  std::thread::id ran_on;
  maintenance.Enqueue("queue", [&] { ran_on = std::this_thread::get_id(); });
  EXPECT_EQ(ran_on, std::this_thread::get_id());
  bool hint = false;
  EXPECT_FALSE(maintenance.EnqueueHint([&] { hint = true; }));
  maintenance.Drain();
  EXPECT_FALSE(hint);
  Allow();
  maintenance.Enqueue("queue", [&] { ran_on = std::this_thread::get_id(); });
  EXPECT_TRUE(maintenance.EnqueueHint([&] { hint = true; }));
  maintenance.Drain();
  EXPECT_NE(ran_on, std::this_thread::get_id());
  EXPECT_TRUE(hint);
}

TEST_F(NoThreads, AJobBehindABusyThreadWaitsForItAndIsNotLost) {
  Maintenance maintenance(sink());
  g_refuse = false;
  std::atomic<bool> release{false};
  std::atomic<int> ran{0};
  maintenance.Enqueue("first", [&] {
    while (!release) {
      std::this_thread::yield();
    }
  });
  Refuse();
  for (int i = 0; i < 10; ++i) {
    maintenance.Enqueue("queue " + std::to_string(i), [&] { ++ran; });
  }
  release = true;
  maintenance.Drain();
  EXPECT_EQ(ran, 10);
}

TEST_F(NoThreads, NobodyIsTicked) {
  struct Counted final : Ticking {
    bool Tick() override {
      ++ticks;
      return false;
    }
    std::atomic<int> ticks{0};
  };
  Ticker ticker(sink());
  const auto object = std::make_shared<Counted>();
  EXPECT_FALSE(ticker.Watch(object, 1));
  EXPECT_EQ(ticker.watched_count(), 0U);
  Allow();
  EXPECT_TRUE(ticker.Watch(object, 1));
  while (object->ticks == 0) {
    std::this_thread::yield();
  }
}

// Append, sync, close: everything that a thread would have done is done all the same.
TEST_F(NoThreads, AStoreGivesItsFileTheSameBytes) {
  const bloom_lfs::test::TempDir dir;
  for (const bool use_io_uring : {true, false}) {
    Runtime runtime(sink());
    StoreOptions options;
    options.use_io_uring = use_io_uring;
    options.buffer_bytes = 8192;
    options.buffer_count = 2;
    const std::string path = dir / (use_io_uring ? "uring" : "plain");
    std::shared_ptr<DenseStream> stream;
    Refuse();
    ASSERT_TRUE(DenseStream::Open(&runtime, path, options, OpenMode::kTruncate, &stream).ok());
    const std::string bytes = StreamBytes(0, 400000);
    for (size_t at = 0; at < bytes.size(); at += 1000) {
      if (at == 200000) {
        Allow();  // half way
      }
      ASSERT_TRUE(stream->Append({bytes.data() + at, 1000}).ok());
      if (at % 50000 == 0) {
        ASSERT_TRUE(stream->Sync().ok());
      }
    }
    ASSERT_TRUE(stream->Close().ok());
    EXPECT_EQ(FirstDifference(ReadFile(path), bytes), "");
    stream.reset();
    runtime.Stop();
    EXPECT_FALSE(std::filesystem::exists(dir / ".bloom_lfs"));
  }
}

}  // namespace
}  // namespace lss
