#include "lss/runtime/maintenance.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace lss {
namespace {

constexpr std::chrono::seconds kPatience(60);

TEST(MaintenanceTest, JobsOfAQueueRunInOrderOnAnotherThread) {
  Maintenance maintenance(nullptr);
  std::vector<int> order;
  std::vector<std::thread::id> threads;  // one at a time, so no lock
  for (int i = 0; i < 100; ++i) {
    maintenance.Enqueue("queue", [&, i] {
      order.push_back(i);
      threads.push_back(std::this_thread::get_id());
    });
  }
  maintenance.Drain();
  ASSERT_EQ(order.size(), 100U);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(order[i], i);
    EXPECT_NE(threads[i], std::this_thread::get_id());
  }
}

TEST(MaintenanceTest, DrainWaitsForTheJobThatIsRunning) {
  Maintenance maintenance(nullptr);
  std::promise<void> started;
  bool done = false;
  maintenance.Enqueue("queue", [&] {
    started.set_value();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    done = true;
  });
  started.get_future().wait();
  maintenance.Drain();
  EXPECT_TRUE(done);
}

TEST(MaintenanceTest, WhatAJobOwnsIsGoneWhenItIsDone) {
  Maintenance maintenance(nullptr);
  auto owned = std::make_shared<int>(1);
  const std::weak_ptr<int> watch = owned;
  maintenance.Enqueue("queue", [owned = std::move(owned)] { (void)owned; });
  maintenance.Drain();
  EXPECT_TRUE(watch.expired());
}

TEST(MaintenanceTest, AJobMayEnqueueAnother) {
  Maintenance maintenance(nullptr);
  std::vector<int> order;
  maintenance.Enqueue("queue", [&] {
    maintenance.Enqueue("queue", [&] { order.push_back(2); });
    order.push_back(1);
  });
  maintenance.Drain();
  EXPECT_EQ(order, (std::vector<int>{1, 2}));
}

TEST(MaintenanceTest, StopRunsWhatIsLeftAndLaterJobsRunAtOnce) {
  std::vector<int> order;
  Maintenance maintenance(nullptr);
  for (int i = 0; i < 10; ++i) {
    maintenance.Enqueue("queue", [&, i] { order.push_back(i); });
  }
  maintenance.Stop();
  EXPECT_EQ(order.size(), 10U);
  maintenance.Stop();
  maintenance.Enqueue("queue", [&] { order.push_back(10); });
  EXPECT_EQ(order.back(), 10);
  maintenance.Drain();
}

TEST(MaintenanceTest, AHintRunsLikeAJobAndIsDroppedAfterTheStop) {
  Maintenance maintenance(nullptr);
  std::atomic<int> ran{0};
  maintenance.EnqueueHint([&] { ++ran; });
  maintenance.Drain();
  EXPECT_EQ(ran, 1);
  maintenance.Stop();
  maintenance.EnqueueHint([&] { ++ran; });
  EXPECT_EQ(ran, 1);
}

TEST(MaintenanceTest, AJobThatIsStuckHoldsUpItsOwnQueueOnly) {
  Maintenance maintenance(nullptr);
  std::promise<void> release;
  const std::shared_future<void> released(release.get_future());
  std::atomic<bool> behind{false};
  maintenance.Enqueue("stuck", [released] { released.wait(); });
  maintenance.Enqueue("stuck", [&] { behind = true; });
  for (int i = 0; i < 20; ++i) {
    std::promise<void> ran;
    maintenance.Enqueue("queue " + std::to_string(i), [&] { ran.set_value(); });
    ASSERT_EQ(ran.get_future().wait_for(kPatience), std::future_status::ready) << i;
  }
  EXPECT_FALSE(behind);
  release.set_value();
  maintenance.Drain();
  EXPECT_TRUE(behind);
}

TEST(MaintenanceTest, AHintThatIsStuckHoldsUpNoJobAndNoHintRunsBesideIt) {
  Maintenance maintenance(nullptr);
  std::promise<void> release;
  std::promise<void> started;
  const std::shared_future<void> released(release.get_future());
  ASSERT_TRUE(maintenance.EnqueueHint([&] {
    started.set_value();
    released.wait();
  }));
  started.get_future().wait();
  std::atomic<bool> second{false};
  ASSERT_TRUE(maintenance.EnqueueHint([&] { second = true; }));
  std::promise<void> ran;
  maintenance.Enqueue("queue", [&] { ran.set_value(); });
  ASSERT_EQ(ran.get_future().wait_for(kPatience), std::future_status::ready);
  EXPECT_FALSE(second);
  release.set_value();
  maintenance.Drain();
  EXPECT_TRUE(second);
}

TEST(MaintenanceTest, AStopThatMeetsAStuckJobReturnsAtItsDeadline) {
  Maintenance maintenance(nullptr);
  std::promise<void> release;
  const std::shared_future<void> released(release.get_future());
  maintenance.Enqueue("stuck", [released] { released.wait(); });
  EXPECT_FALSE(maintenance.Stop(std::chrono::steady_clock::now() + std::chrono::milliseconds(1)));
  bool ran = false;
  maintenance.Enqueue("other", [&] { ran = true; });
  EXPECT_TRUE(ran) << "on the calling thread";
  release.set_value();
  EXPECT_TRUE(maintenance.Stop());
}

TEST(MaintenanceTest, WhatCanBeDoneByOneThreadStartsNoOther) {
  Maintenance maintenance(nullptr);
  std::set<std::thread::id> threads;  // one at a time, so no lock
  for (int i = 0; i < 50; ++i) {
    maintenance.Enqueue("queue " + std::to_string(i),
                        [&] { threads.insert(std::this_thread::get_id()); });
    maintenance.Drain();
  }
  EXPECT_LE(threads.size(), 2U) << "the first may still be on its way to rest";
}

TEST(MaintenanceTest, JobsThatMeetTheStopAllRun) {
  for (int round = 0; round < 50; ++round) {
    Maintenance maintenance(nullptr);
    std::atomic<int> ran{0};
    std::thread enqueuer([&] {
      for (int i = 0; i < 200; ++i) {
        maintenance.Enqueue("queue", [&] { ++ran; });
      }
    });
    maintenance.Stop();
    enqueuer.join();
    ASSERT_EQ(ran.load(), 200) << "round " << round;
  }
}

}  // namespace
}  // namespace lss
