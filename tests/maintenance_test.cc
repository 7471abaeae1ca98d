#include "lss/runtime/maintenance.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace lss {
namespace {

constexpr std::chrono::seconds kPatience(60);

class CountedTicks final : public Ticking {
 public:
  explicit CountedTicks(int awaited) : awaited_(awaited) {}
  void Tick() override {
    if (++ticks_ == awaited_) {
      reached_.set_value();
    }
  }
  [[nodiscard]] bool AwaitTicks() {
    return reached_.get_future().wait_for(kPatience) == std::future_status::ready;
  }

 private:
  const int awaited_;
  int ticks_ = 0;
  std::promise<void> reached_;
};

TEST(MaintenanceTest, JobsRunInOrderOnOneOtherThread) {
  Maintenance maintenance;
  std::vector<int> order;
  std::vector<std::thread::id> threads;
  for (int i = 0; i < 100; ++i) {
    maintenance.Enqueue([&, i] {
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
  Maintenance maintenance;
  std::promise<void> started;
  bool done = false;
  maintenance.Enqueue([&] {
    started.set_value();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    done = true;
  });
  started.get_future().wait();
  maintenance.Drain();
  EXPECT_TRUE(done);
}

TEST(MaintenanceTest, WhatAJobOwnsIsGoneWhenItIsDone) {
  Maintenance maintenance;
  auto owned = std::make_shared<int>(1);
  const std::weak_ptr<int> watch = owned;
  maintenance.Enqueue([owned = std::move(owned)] { (void)owned; });
  maintenance.Drain();
  EXPECT_TRUE(watch.expired());
}

TEST(MaintenanceTest, AJobMayEnqueueAnother) {
  Maintenance maintenance;
  std::vector<int> order;
  maintenance.Enqueue([&] {
    maintenance.Enqueue([&] { order.push_back(2); });
    order.push_back(1);
  });
  maintenance.Drain();
  EXPECT_EQ(order, (std::vector<int>{1, 2}));
}

TEST(MaintenanceTest, StopRunsWhatIsLeftAndLaterJobsRunAtOnce) {
  std::vector<int> order;
  Maintenance maintenance;
  for (int i = 0; i < 10; ++i) {
    maintenance.Enqueue([&, i] { order.push_back(i); });
  }
  maintenance.Stop();
  EXPECT_EQ(order.size(), 10U);
  maintenance.Stop();
  maintenance.Enqueue([&] { order.push_back(10); });
  EXPECT_EQ(order.back(), 10);
  maintenance.Drain();
}

TEST(MaintenanceTest, AHintRunsLikeAJobAndIsDroppedAfterTheStop) {
  Maintenance maintenance;
  std::atomic<int> ran{0};
  maintenance.EnqueueHint([&] { ++ran; });
  maintenance.Drain();
  EXPECT_EQ(ran, 1);
  maintenance.Stop();
  maintenance.EnqueueHint([&] { ++ran; });
  EXPECT_EQ(ran, 1);
}

TEST(MaintenanceTest, JobsThatMeetTheStopAllRun) {
  for (int round = 0; round < 50; ++round) {
    Maintenance maintenance;
    std::atomic<int> ran{0};
    std::thread enqueuer([&] {
      for (int i = 0; i < 200; ++i) {
        maintenance.Enqueue([&] { ++ran; });
      }
    });
    maintenance.Stop();
    enqueuer.join();
    ASSERT_EQ(ran.load(), 200) << "round " << round;
  }
}

TEST(MaintenanceTest, TicksGoOnForAsLongAsTheObjectLives) {
  Maintenance maintenance;
  auto often = std::make_shared<CountedTicks>(5);
  auto seldom = std::make_shared<CountedTicks>(1);
  maintenance.Watch(seldom, 60000);
  maintenance.Watch(often, 1);
  EXPECT_TRUE(often->AwaitTicks()) << "an early object must not wait for a late one's turn";
  const std::weak_ptr<CountedTicks> watch = often;
  often.reset();
  // A tick under way may hold it for another moment.
  for (int i = 0; i < 60000 && !watch.expired(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_TRUE(watch.expired()) << "being watched must not keep an object alive";
}

TEST(MaintenanceTest, TicksGoOnBetweenJobs) {
  Maintenance maintenance;
  const auto ticking = std::make_shared<CountedTicks>(3);
  maintenance.Watch(ticking, 1);
  std::atomic<bool> stop{false};
  std::thread enqueuer([&] {
    while (!stop) {
      maintenance.Enqueue([] { std::this_thread::sleep_for(std::chrono::microseconds(100)); });
      maintenance.Drain();
    }
  });
  EXPECT_TRUE(ticking->AwaitTicks());
  stop = true;
  enqueuer.join();
}

// The last owner may be the maintenance thread itself.
TEST(MaintenanceTest, AnObjectMayDieInItsOwnTick) {
  struct SelfOwning final : Ticking {
    void Tick() override {
      self.reset();
      ticked.set_value();
    }
    std::shared_ptr<SelfOwning> self;
    std::promise<void> ticked;
  };
  Maintenance maintenance;
  auto object = std::make_shared<SelfOwning>();
  object->self = object;
  std::future<void> ticked = object->ticked.get_future();
  maintenance.Watch(object, 1);
  object.reset();
  EXPECT_EQ(ticked.wait_for(kPatience), std::future_status::ready);
}

}  // namespace
}  // namespace lss
