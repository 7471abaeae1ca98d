// Threads that do what they are given: beside each other, and all of it.
#include "lss/second_place/side_workers.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <utility>

namespace lss {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

class SideWorkersTest : public testing::Test {
 protected:
  static constexpr int kThreads = 3;

  SideWorkersTest() {
    const Status status = SideWorkers::Start(kThreads, &workers_);
    EXPECT_TRUE(status.ok()) << status.ToString();
  }
  // False: it was not there after a long time.
  static bool Await(const std::atomic<int>& value, int wanted) {
    const auto end = steady_clock::now() + std::chrono::seconds(10);
    while (value < wanted && steady_clock::now() < end) {
      std::this_thread::sleep_for(milliseconds(1));
    }
    return value >= wanted;
  }

  std::unique_ptr<SideWorkers> workers_;
};

TEST_F(SideWorkersTest, WorkIsDoneByAllThreadsAtOnceAndNoMore) {
  std::atomic<int> begun{0};
  std::atomic<bool> may_end{false};
  for (int i = 0; i < kThreads + 1; ++i) {
    workers_->Add([&] {
      ++begun;
      while (!may_end) {
        std::this_thread::sleep_for(milliseconds(1));
      }
    });
  }
  EXPECT_TRUE(Await(begun, kThreads));
  std::this_thread::sleep_for(milliseconds(50));
  EXPECT_EQ(begun, kThreads);
  may_end = true;
  EXPECT_TRUE(Await(begun, kThreads + 1));
  workers_.reset();
}

TEST_F(SideWorkersTest, TheEndWaitsForAllThatWasAdded) {
  std::atomic<int> done{0};
  constexpr int kWorks = 20;
  for (int i = 0; i < kWorks; ++i) {
    workers_->Add([&] {
      std::this_thread::sleep_for(milliseconds(5));
      ++done;
    });
  }
  workers_.reset();
  EXPECT_EQ(done, kWorks);
}

TEST_F(SideWorkersTest, WorkMayAddWork) {
  std::atomic<int> done{0};
  workers_->Add([&] { workers_->Add([&] { ++done; }); });
  EXPECT_TRUE(Await(done, 1));
}

// The last stream that somebody let go of may be in the work: its end takes time, and may add.
TEST_F(SideWorkersTest, WhatAWorkHoldsIsLetGoWithoutKeepingOthersOut) {
  std::atomic<int> let_go{0};
  std::atomic<int> done{0};
  std::atomic<bool> was_in_time{false};
  std::thread other;
  std::shared_ptr<void> held(nullptr, [&](void*) {
    const auto shared = std::make_shared<std::atomic<int>>(0);
    other = std::thread([&, shared] {
      workers_->Add([&] { ++done; });
      ++*shared;
    });
    was_in_time = Await(*shared, 1);
    ++let_go;
  });
  workers_->Add([held = std::move(held)] {});
  EXPECT_TRUE(Await(let_go, 1));
  other.join();
  EXPECT_TRUE(was_in_time);
  EXPECT_TRUE(Await(done, 1));
}

}  // namespace
}  // namespace lss
