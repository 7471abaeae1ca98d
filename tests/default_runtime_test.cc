// The process-wide threads at the end of a process. Each test starts a child that ends in its own
// way; a child that hangs is a failure of the bounded wait.
#include "plugin/default_runtime.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "lss/dense_stream.h"
#include "lss/ring/ring_view.h"
#include "plugin/warning.h"
#include "tests/support/child_check.h"
#include "tests/support/child_process.h"
#include "tests/support/deferred_work.h"
#include "tests/support/files.h"
#include "tests/support/stream_bytes.h"
#include "tests/support/temp_dir.h"

namespace {
bool g_is_forked_child = false;
}

// LeakSanitizer asks. In a forked child everything that the threads' stacks hold looks lost.
extern "C" int __lsan_is_turned_off();
extern "C" int __lsan_is_turned_off() { return g_is_forked_child ? 1 : 0; }

namespace lss {
namespace {

using bloom_lfs::test::ChildProcess;
using bloom_lfs::test::ReadFile;
using bloom_lfs::test::RegisterChild;
using test::FirstDifference;
using test::Require;
using test::RequireOk;
using test::StreamBytes;
using StorePtr = std::shared_ptr<DenseStream>;

constexpr int kHung = 77;

StorePtr OpenStore(const std::string& path, bool use_io_uring = true) {
  StoreOptions options;
  options.use_io_uring = use_io_uring;
  StorePtr store;
  RequireOk(DenseStream::Open(bloom_lfs::DefaultRuntime(path), path, options,
                              DenseStream::OpenMode::kTruncate, &store),
            "open");
  return store;
}

void Append(const StorePtr& store, size_t length) {
  const std::string bytes = StreamBytes(store->size(), length);
  RequireOk(store->Append({bytes.data(), bytes.size()}), "append");
}

void MakeHot(const StorePtr& store) {
  for (int i = 0; i < 4; ++i) {
    Append(store, 10);
    RequireOk(store->Sync(), "sync");
  }
  bloom_lfs::test::AwaitDeferredWork();
}

// Waits for a process of our own, but not for ever.
int WaitOrKill(pid_t pid) {
  for (int i = 0; i < 60000; ++i) {
    int status = 0;
    if (waitpid(pid, &status, WNOHANG) == pid) {
      return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  kill(pid, SIGKILL);
  waitpid(pid, nullptr, 0);
  return kHung;
}

// The child's exit code, or kHung.
int RunRole(const std::string& role, const std::string& path) {
  ChildProcess child(role, {path});
  for (int i = 0; i < 120000 && child.Running(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return child.Running() ? kHung : child.Wait();
}

class DefaultRuntimeTest : public testing::Test {
 protected:
  bloom_lfs::test::TempDir directory_;
  const std::string path_ = directory_ / "file";
};

TEST_F(DefaultRuntimeTest, ThereIsOneForEachFileSystemAndOneBudgetForAll) {
  Runtime* const here = bloom_lfs::DefaultRuntime(directory_.path());
  EXPECT_EQ(bloom_lfs::DefaultRuntime(path_), here) << "of a log that is not there yet";
  std::filesystem::create_directory(directory_ / "other");
  EXPECT_EQ(bloom_lfs::DefaultRuntime(directory_ / "other/file"), here);
  Runtime* const elsewhere = bloom_lfs::DefaultRuntime("/proc/version");
  EXPECT_NE(elsewhere, here);
  EXPECT_NE(elsewhere->maintenance(), here->maintenance());
  EXPECT_NE(elsewhere->flusher(true), here->flusher(true));
  EXPECT_EQ(elsewhere->ring_budget(), here->ring_budget());
  EXPECT_EQ(bloom_lfs::DefaultRingBudget(), here->ring_budget());
}

// The names of this process's threads, as the kernel shows them.
std::multiset<std::string> ThreadNames() {
  std::multiset<std::string> names;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    const std::string name = ReadFile(task.path() / "comm");
    names.insert(name.substr(0, name.find('\n')));
  }
  return names;
}

TEST_F(DefaultRuntimeTest, ThreadsAreToldApartByTheirNames) {
  const StorePtr store = OpenStore(path_);
  MakeHot(store);
  Append(store, 50000);  // wakes the flusher, too
  RequireOk(store->Close(), "close");
  const std::multiset<std::string> names = ThreadNames();
  EXPECT_GE(names.count(Maintenance::kThreadName), 1U);
  EXPECT_EQ(names.count(Flusher::kThreadName), 1U);
  EXPECT_EQ(names.count(Ticker::kThreadName), 1U);
}

const RegisterChild exits_at_once("exits_at_once", [](const std::vector<std::string>& args) {
  const StorePtr store = OpenStore(args[0]);
  MakeHot(store);
  Append(store, 50000);
  RequireOk(store->Close(), "close");
  return 0;  // the last steps of the close are on the maintenance thread
});

TEST_F(DefaultRuntimeTest, WhatACloseHasDeferredIsDoneBeforeTheProcessEnds) {
  EXPECT_EQ(RunRole("exits_at_once", path_), 0);
  EXPECT_EQ(FirstDifference(ReadFile(path_), StreamBytes(0, 50040)), "");
  EXPECT_FALSE(std::filesystem::exists(directory_ / ".bloom_lfs"));
}

StorePtr g_left_open;

const RegisterChild leaves_open("leaves_open", [](const std::vector<std::string>& args) {
  g_left_open = OpenStore(args[0]);
  MakeHot(g_left_open);
  Append(g_left_open, 50000);
  return 0;
});

TEST_F(DefaultRuntimeTest, AProcessThatLeavesAStoreOpenEndsAllTheSame) {
  EXPECT_EQ(RunRole("leaves_open", path_), 0);
  EXPECT_TRUE(std::filesystem::exists(directory_ / ".bloom_lfs")) << "its ring is for recovery";
}

const RegisterChild uses_after_exit("uses_after_exit", [](const std::vector<std::string>& args) {
  // Registered before the threads exist, so it runs after they have been stopped.
  std::atexit([] {
    Append(g_left_open, 100000);  // many times the ring, with no flusher left
    RequireOk(g_left_open->Sync(), "sync in an exit handler");
    RequireOk(g_left_open->Close(), "close in an exit handler");
    g_left_open.reset();
  });
  g_left_open = OpenStore(args[0], args[1] == "uring");
  MakeHot(g_left_open);
  return 0;
});

TEST_F(DefaultRuntimeTest, AStoreThatIsUsedAfterTheThreadsHaveEndedWorksOnTheCallersThread) {
  for (const std::string kind : {"uring", "no uring"}) {
    ChildProcess child("uses_after_exit", {path_, kind});
    for (int i = 0; i < 40000 && child.Running(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    ASSERT_FALSE(child.Running()) << "hangs, " << kind;
    EXPECT_EQ(child.Wait(), 0) << kind;
    EXPECT_EQ(FirstDifference(ReadFile(path_), StreamBytes(0, 100040)), "");
    EXPECT_FALSE(std::filesystem::exists(directory_ / ".bloom_lfs"));
  }
}

// A cold store first wants to become hot, which is the maintenance thread's work.
const RegisterChild cold_after_exit("cold_after_exit", [](const std::vector<std::string>& args) {
  std::atexit([] {
    Append(g_left_open, 100000);
    RequireOk(g_left_open->Close(), "close in an exit handler");
    g_left_open.reset();
  });
  g_left_open = OpenStore(args[0]);
  return 0;
});

TEST_F(DefaultRuntimeTest, AColdStoreBecomesHotEvenThen) {
  EXPECT_EQ(RunRole("cold_after_exit", path_), 0);
  EXPECT_EQ(FirstDifference(ReadFile(path_), StreamBytes(0, 100000)), "");
}

// ThreadSanitizer has locks of its own, which a fork beside busy threads can leave locked; and it
// lets every process sleep for a second at its end.
#ifdef __SANITIZE_THREAD__
constexpr bool kForkBesideBusyThreads = false;
constexpr int kForks = 1;
#else
constexpr bool kForkBesideBusyThreads = true;
constexpr int kForks = 40;
#endif

void ForkManyChildrenThatExit() {
  std::atomic<bool> stop{!kForkBesideBusyThreads};
  std::thread busy([&] {
    while (!stop) {
      bloom_lfs::DefaultRuntime("/")->maintenance()->Enqueue("busy", [] {});
    }
  });
  if (!kForkBesideBusyThreads) {
    busy.join();
  }
  for (int i = 0; i < kForks; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      g_is_forked_child = true;
      std::exit(0);  // runs exit handlers and static destructors
    }
    Require(WaitOrKill(child) == 0, "the forked child ends by itself");
  }
  stop = true;
  if (busy.joinable()) {
    busy.join();
  }
}

// A forked child has the memory of the threads and not the threads; and their locks, as they were
// at that moment.
const RegisterChild forks("forks", [](const std::vector<std::string>& args) {
  const StorePtr store = OpenStore(args[0]);
  MakeHot(store);
  Append(store, 50000);
  ForkManyChildrenThatExit();
  Append(store, 50000);
  RequireOk(store->Sync(), "sync after the forks");
  RequireOk(store->Close(), "close after the forks");
  return 0;
});

TEST_F(DefaultRuntimeTest, AForkedChildThatExitsDoesNotHangAndTakesNothingAway) {
  EXPECT_EQ(RunRole("forks", path_), 0);
  EXPECT_EQ(FirstDifference(ReadFile(path_), StreamBytes(0, 100040)), "");
}

// --- a forked child that opens its own ---

// Fills a store of its own, through the threads, as far as it has them.
void FillOwn(const std::string& path, bool use_io_uring) {
  const StorePtr store = OpenStore(path, use_io_uring);
  MakeHot(store);
  for (int i = 0; i < 20; ++i) {
    Append(store, 50000);
  }
  RequireOk(store->Sync(), "sync in the child");
  RequireOk(store->Close(), "close in the child");
}

std::string ChildsPath(const std::string& path, int number) {
  return path + ".of_child" + std::to_string(number);
}

// Its exit code goes to `ended`: 0 if the children of children have done as well.
void ForkThatFills(const std::string& path, int generations, std::atomic<int>* ended) {
  const pid_t child = fork();
  if (child == 0) {
    g_is_forked_child = true;
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // a hung one does not outlive the test
    FillOwn(ChildsPath(path, generations), generations % 2 == 0);
    if (generations > 1) {
      std::atomic<int> of_grandchild{0};
      ForkThatFills(path, generations - 1, &of_grandchild);
      Require(of_grandchild == 0, "the grandchild fills its own");
    }
    std::exit(0);
  }
  *ended = WaitOrKill(child);
}

const RegisterChild forks_fillers("forks_fillers", [](const std::vector<std::string>& args) {
  FillOwn(args[0] + ".before", true);
  g_left_open = OpenStore(args[0]);
  MakeHot(g_left_open);
  std::atomic<bool> stop{!kForkBesideBusyThreads};
  // All of what a fork may find locked, as often as possible; but the disk is for the children.
  constexpr uint64_t kEnough = 64 << 20;
  std::thread busy([&] {
    while (!stop) {
      if (g_left_open->size() < kEnough) {
        Append(g_left_open, 1000);
      }
      bloom_lfs::DefaultRuntime("/")->maintenance()->Enqueue("busy", [] {});
      (void)bloom_lfs::DefaultRingBudget()->bytes_in_use();
      bloom_lfs::WarnOnce("busy");
    }
  });
  for (int i = 0; i < (kForkBesideBusyThreads ? 5 : 1); ++i) {
    std::atomic<int> ended{-1};
    std::thread([&] { ForkThatFills(args[0], 2, &ended); }).join();
    Require(ended == 0, "the child fills its own and ends; it says " + std::to_string(ended));
  }
  stop = true;
  busy.join();
  RequireOk(g_left_open->Close(), "close of the parent's own");
  return 0;
});

TEST_F(DefaultRuntimeTest, AForkedChildThatOpensItsOwnHasItsOwnThreads) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer lets a child of a process with threads start none";
#endif
  EXPECT_EQ(RunRole("forks_fillers", path_), 0);
  for (int number = 1; number <= 2; ++number) {
    EXPECT_EQ(FirstDifference(ReadFile(ChildsPath(path_, number)), StreamBytes(0, 1000040)), "");
  }
}

// --- a disk that does not answer ---

const RegisterChild exits_stuck("exits_stuck", [](const std::vector<std::string>& args) {
  const StorePtr store = OpenStore(args[0]);
  MakeHot(store);
  // Another file system's, for which nothing goes on.
  bloom_lfs::DefaultRuntime("/proc")->maintenance()->Enqueue("stuck", [] { pause(); });
  Append(store, 50000);
  RequireOk(store->Close(), "close");
  return 0;
});

TEST_F(DefaultRuntimeTest, AnExitDoesNotWaitForEverAndDoesWhatCanBeDone) {
  EXPECT_EQ(RunRole("exits_stuck", path_), 0);
  EXPECT_EQ(FirstDifference(ReadFile(path_), StreamBytes(0, 50040)), "");
  EXPECT_FALSE(std::filesystem::exists(directory_ / ".bloom_lfs"))
      << "the neighbour's close is done";
}

// A store in static storage is destroyed in the forked child too. The ring's lock belongs to both
// processes' descriptors; the parent must not lose it.
const RegisterChild forks_static("forks_static", [](const std::vector<std::string>& args) {
  g_left_open = OpenStore(args[0]);
  Append(g_left_open, 1000);
  const pid_t child = fork();
  if (child == 0) {
    g_is_forked_child = true;
    std::exit(0);
  }
  Require(WaitOrKill(child) == 0, "the forked child ends by itself");
  std::unique_ptr<RingView> ring;
  RequireOk(RingView::Open(g_left_open->ring_path(), &ring), "the ring is still there");
  Require(ring->OwnerAlive(), "others see that the ring's owner is alive");
  Append(g_left_open, 59000);
  RequireOk(g_left_open->Close(), "close");
  g_left_open.reset();
  return 0;
});

TEST_F(DefaultRuntimeTest, AForkedChildThatExitsLeavesTheParentsRingLocked) {
  EXPECT_EQ(RunRole("forks_static", path_), 0);
  EXPECT_EQ(FirstDifference(ReadFile(path_), StreamBytes(0, 60000)), "");
}

}  // namespace
}  // namespace lss
