// A runtime's threads and what they are for.
#include "lss/runtime/runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "lss/dense_stream.h"
#include "tests/support/files.h"
#include "tests/support/stream_bytes.h"
#include "tests/support/temp_dir.h"

namespace lss {
namespace {

using bloom_lfs::test::ReadFile;
using bloom_lfs::test::TempDir;
using test::FirstDifference;
using test::StreamBytes;
using StreamPtr = std::shared_ptr<DenseStream>;

// Threads of ours in this process, by their names.
size_t OurThreads() {
  size_t count = 0;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    count += ReadFile(task.path() / "comm").rfind("bloom_lfs:", 0) == 0 ? 1 : 0;
  }
  return count;
}

StreamPtr Open(Runtime* runtime, const std::string& path, const StoreOptions& options = {}) {
  StreamPtr stream;
  const Status status = DenseStream::Open(runtime, path, options, OpenMode::kTruncate, &stream);
  EXPECT_TRUE(status.ok()) << status.ToString();
  return stream;
}

void Append(const StreamPtr& stream, size_t length) {
  const std::string bytes = StreamBytes(stream->size(), length);
  ASSERT_TRUE(stream->Append({bytes.data(), bytes.size()}).ok());
}

TEST(Runtime, StartsNothingBeforeAStoreHasSomethingToDo) {
  const TempDir dir;
  const size_t before = OurThreads();
  Runtime runtime;
  const StreamPtr stream = Open(&runtime, dir / "file");
  EXPECT_EQ(OurThreads(), before);
  Append(stream, 10);
  // It names itself when it has begun.
  for (int i = 0; i < 60000 && OurThreads() == before; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_EQ(OurThreads(), before + 1) << "who writes out its tail when it is idle";
  EXPECT_TRUE(stream->Close().ok());
}

// --- at rest ---

TEST(Runtime, AStoreAtRestIsNotWatched) {
  const TempDir dir;
  Runtime runtime;
  StoreOptions options;
  options.idle_flush_ms = 1;
  const StreamPtr stream = Open(&runtime, dir / "file", options);
  EXPECT_EQ(runtime.ticker()->watched_count(), 0U) << "nothing was appended";
  for (int i = 0; i < 3; ++i) {
    Append(stream, 10);
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (runtime.ticker()->watched_count() > 0 || stream->hi_stable() < stream->size()) {
      ASSERT_LT(std::chrono::steady_clock::now(), end)
          << "its tail is in the file, and then it rests";
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  EXPECT_TRUE(stream->Close().ok());
}

TEST(Runtime, WhoAppendsAllTheTimeIsWatchedOnce) {
  const TempDir dir;
  Runtime runtime;
  StoreOptions options;
  options.idle_flush_ms = 60000;
  const StreamPtr stream = Open(&runtime, dir / "file", options);
  for (int i = 0; i < 1000; ++i) {
    Append(stream, 10);
  }
  EXPECT_EQ(runtime.ticker()->watched_count(), 1U);
  EXPECT_TRUE(stream->Close().ok());
}

TEST(Runtime, HasOneFlusherOfEachKind) {
  Runtime runtime;
  Flusher* with = runtime.flusher(true);
  Flusher* without = runtime.flusher(false);
  EXPECT_NE(with, without);
  EXPECT_EQ(with, runtime.flusher(true));
  EXPECT_EQ(without, runtime.flusher(false));
}

TEST(Runtime, SeveralMayShareABudget) {
  const TempDir dir;
  RingBudget budget;
  Runtime one(nullptr, &budget);
  Runtime two(nullptr, &budget);
  EXPECT_EQ(one.ring_budget(), two.ring_budget());
  const StreamPtr stream = Open(&one, dir / "file");
  EXPECT_GT(two.ring_budget()->bytes_in_use(), 0U);
}

// --- a neighbour in trouble ---

TEST(Runtime, AStopThatMeetsAStuckJobReturnsAtItsDeadline) {
  Runtime runtime;
  std::promise<void> release;
  std::promise<void> started;
  runtime.maintenance()->Enqueue("stuck", [&] {
    started.set_value();
    release.get_future().wait();
  });
  started.get_future().wait();
  EXPECT_FALSE(runtime.Stop(std::chrono::steady_clock::now() + std::chrono::milliseconds(1)));
  release.set_value();
  EXPECT_TRUE(runtime.Stop());
}

// Nothing hidden: two runtimes in one process share neither threads nor memory nor warnings.
TEST(Runtime, StoresOfTwoRuntimesShareNothing) {
  const TempDir dir;
  Runtime one;
  Runtime two;
  EXPECT_NE(one.maintenance(), two.maintenance());
  EXPECT_NE(one.flusher(false), two.flusher(false));
  StoreOptions options;
  options.use_io_uring = false;
  const StreamPtr stream = Open(&one, dir / "file", options);
  EXPECT_GT(one.ring_budget()->bytes_in_use(), 0U);
  EXPECT_EQ(two.ring_budget()->bytes_in_use(), 0U);
  two.Stop();
  Append(stream, 100000);
  EXPECT_TRUE(stream->Close().ok());
  EXPECT_EQ(FirstDifference(ReadFile(dir / "file"), StreamBytes(0, 100000)), "");
}

TEST(Runtime, EndsItsThreadsAndFinishesWhatWasDeferred) {
  const TempDir dir;
  const size_t before = OurThreads();
  {
    Runtime runtime;
    StreamPtr stream = Open(&runtime, dir / "file");
    Append(stream, 100000);  // more than the ring: hot, so the close leaves work behind
    ASSERT_TRUE(stream->Close().ok());
    stream.reset();
  }
  EXPECT_EQ(OurThreads(), before);
  EXPECT_FALSE(std::filesystem::exists(dir / ".bloom_lfs")) << "the ring has gone with the close";
}

TEST(Runtime, AfterStopStoresWorkOnTheCallersThread) {
  const TempDir dir;
  Runtime runtime;
  const StreamPtr before = Open(&runtime, dir / "before");
  runtime.Stop();
  runtime.Stop();
  const StreamPtr after = Open(&runtime, dir / "after");
  for (const StreamPtr& stream : {before, after}) {
    Append(stream, 100000);
    EXPECT_TRUE(stream->Sync().ok());
    EXPECT_TRUE(stream->Close().ok());
    EXPECT_EQ(FirstDifference(ReadFile(stream->path()), StreamBytes(0, 100000)), "");
  }
}

// A sink that remembers.
class Said {
 public:
  WarningSink sink() {
    return [this](const std::string& line) {
      const std::lock_guard<std::mutex> lock(mutex_);
      lines_.push_back(line);
    };
  }
  std::vector<std::string> lines() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return lines_;
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> lines_;
};

// A kernel whose direct writes are refused.
class NoDirectIo final : public SystemCalls {
 public:
  int64_t Pwritev2(int fd, const iovec* pieces, int count, int64_t offset, int flags) override {
    const bool direct = (fcntl(fd, F_GETFL) & O_DIRECT) != 0;
    return direct ? -EINVAL : SystemCalls::Pwritev2(fd, pieces, count, offset, flags);
  }
};

// Both run on a file system without direct I/O; each says so to its own.
TEST(Runtime, AStoresOwnWarningsGoToItsOwnSink) {
  const TempDir dir;
  NoDirectIo kernel;
  Said of_runtime;
  Said of_first;
  Said of_second;
  Runtime runtime(of_runtime.sink());
  const auto open = [&](const std::string& name, Said* said) {
    const std::string path = dir / name;
    auto device = std::make_unique<FileDevice>(
        UniqueFd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)), path, said->sink(),
        &kernel);
    StoreOptions options;
    options.ring_directory = dir / "rings";
    StreamPtr stream;
    EXPECT_TRUE(DenseStream::Open(&runtime, std::move(device), options, &stream).ok());
    return stream;
  };
  const StreamPtr first = open("first", &of_first);
  const StreamPtr second = open("second", &of_second);
  for (const StreamPtr& stream : {first, second}) {
    Append(stream, 100000);
    runtime.maintenance()->Drain();  // hot
    ASSERT_TRUE(stream->Sync().ok());
    ASSERT_TRUE(stream->Close().ok());
  }
  runtime.maintenance()->Drain();
  for (Said* said : {&of_first, &of_second}) {
    ASSERT_EQ(said->lines().size(), 1U);
    EXPECT_EQ(said->lines()[0].rfind("the file system refuses direct I/O", 0), 0U);
    EXPECT_NE(said->lines()[0].find("[" + dir.path() + "]"), std::string::npos) << said->lines()[0];
  }
  EXPECT_TRUE(of_runtime.lines().empty());
}

// A forked child has copies of the threads' handles and not the threads.
TEST(Runtime, AForkedChildCanEndWithItsCopy) {
  const TempDir dir;
  auto runtime = std::make_unique<Runtime>();
  const StreamPtr stream = Open(runtime.get(), dir / "file");
  Append(stream, 100000);
  const pid_t child = fork();
  if (child == 0) {
    alarm(20);  // ends a child that hangs
    runtime->Stop();
    runtime.reset();
    _exit(0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  Append(stream, 100000);
  EXPECT_TRUE(stream->Close().ok()) << "the parent's threads are still there";
}

TEST(RuntimeDeathTest, AThreadThatWouldWaitForItselfIsTold) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        Runtime runtime;
        runtime.maintenance()->Enqueue("queue", [&] { runtime.Stop(); });
        runtime.maintenance()->Drain();
      },
      "cannot wait for its own end");
}

}  // namespace
}  // namespace lss
