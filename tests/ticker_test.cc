// Who is ticked, when, and for how long; and that nobody else costs anything.
#include "lss/runtime/ticker.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <thread>
#include <vector>

namespace lss {
namespace {

constexpr std::chrono::seconds kPatience(60);

class CountedTicks final : public Ticking {
 public:
  // Wants to be called again until it has been `awaited` times.
  explicit CountedTicks(int awaited) : awaited_(awaited) {}
  bool Tick() override {
    const int ticks = ++ticks_;
    if (ticks == awaited_) {
      reached_.set_value();
    }
    return ticks < awaited_;
  }
  int ticks() const { return ticks_; }
  [[nodiscard]] bool AwaitTicks() {
    return reached_.get_future().wait_for(kPatience) == std::future_status::ready;
  }

 private:
  const int awaited_;
  std::atomic<int> ticks_{0};
  std::promise<void> reached_;
};

template <typename Condition>
bool Eventually(const Condition& condition) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (!condition() && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return condition();
}

TEST(TickerTest, TicksGoOnForAsLongAsTheyAreAskedFor) {
  Ticker ticker(nullptr);
  const auto often = std::make_shared<CountedTicks>(5);
  const auto seldom = std::make_shared<CountedTicks>(1);
  ASSERT_TRUE(ticker.Watch(seldom, 60000));
  ASSERT_TRUE(ticker.Watch(often, 1));
  EXPECT_TRUE(often->AwaitTicks()) << "an early object must not wait for a late one's turn";
  EXPECT_TRUE(Eventually([&] { return ticker.watched_count() == 1; })) << "it is forgotten";
  EXPECT_EQ(often->ticks(), 5);
  EXPECT_EQ(seldom->ticks(), 0);
}

TEST(TickerTest, WhoHasBeenForgottenCanBeWatchedAgain) {
  Ticker ticker(nullptr);
  for (int i = 0; i < 3; ++i) {
    const auto object = std::make_shared<CountedTicks>(1);
    ASSERT_TRUE(ticker.Watch(object, 1));
    EXPECT_TRUE(object->AwaitTicks());
  }
}

TEST(TickerTest, BeingWatchedKeepsNothingAlive) {
  Ticker ticker(nullptr);
  auto object = std::make_shared<CountedTicks>(1000000);
  ASSERT_TRUE(ticker.Watch(object, 1));
  const std::weak_ptr<CountedTicks> watch = object;
  object.reset();
  EXPECT_TRUE(Eventually([&] { return watch.expired() && ticker.watched_count() == 0; }));
}

TEST(TickerTest, ManyAreTickedInTheOrderInWhichTheyAreDue) {
  struct Noting final : Ticking {
    Noting(std::vector<int>* all_ticks, int own) : ticks(all_ticks), number(own) {}
    bool Tick() override {
      ticks->push_back(number);
      return false;
    }
    std::vector<int>* ticks;
    int number;
  };
  using Clock = std::chrono::steady_clock;
  std::vector<int> order;
  std::vector<std::shared_ptr<Noting>> all;
  // Between which two moments each is due: a busy machine may hold us up anywhere.
  std::vector<Clock::time_point> earliest(100);
  std::vector<Clock::time_point> latest(100);
  {
    Ticker ticker(nullptr);
    for (int i = 99; i >= 0; --i) {
      const std::chrono::milliseconds period(1000 + 2 * i);
      all.push_back(std::make_shared<Noting>(&order, i));
      earliest[i] = Clock::now() + period;
      ASSERT_TRUE(ticker.Watch(all.back(), static_cast<uint32_t>(period.count())));
      latest[i] = Clock::now() + period;
    }
    ASSERT_TRUE(Eventually([&] { return ticker.watched_count() == 0; }));
  }  // with the thread's end its writes are seen
  ASSERT_EQ(order.size(), 100U);
  for (int i = 1; i < 100; ++i) {
    EXPECT_LE(earliest[order[i - 1]], latest[order[i]]) << order[i - 1] << " before " << order[i];
  }
}

// The last owner may be the ticker's thread itself.
TEST(TickerTest, AnObjectMayDieInItsOwnTick) {
  struct SelfOwning final : Ticking {
    bool Tick() override {
      self.reset();
      ticked.set_value();
      return true;
    }
    std::shared_ptr<SelfOwning> self;
    std::promise<void> ticked;
  };
  Ticker ticker(nullptr);
  auto object = std::make_shared<SelfOwning>();
  object->self = object;
  std::future<void> ticked = object->ticked.get_future();
  ASSERT_TRUE(ticker.Watch(object, 1));
  object.reset();
  EXPECT_EQ(ticked.wait_for(kPatience), std::future_status::ready);
}

TEST(TickerTest, AfterTheStopNobodyIsWatched) {
  Ticker ticker(nullptr);
  const auto object = std::make_shared<CountedTicks>(1);
  ASSERT_TRUE(ticker.Watch(object, 60000));
  EXPECT_TRUE(ticker.Stop());
  EXPECT_TRUE(ticker.Stop());
  EXPECT_FALSE(ticker.Watch(object, 1));
  EXPECT_EQ(object->ticks(), 0);
}

TEST(TickerTest, AStopThatMeetsAStuckTickReturnsAtItsDeadline) {
  struct Stuck final : Ticking {
    bool Tick() override {
      started.set_value();
      released.get_future().wait();
      return true;
    }
    std::promise<void> started;
    std::promise<void> released;
  };
  Ticker ticker(nullptr);
  const auto object = std::make_shared<Stuck>();
  ASSERT_TRUE(ticker.Watch(object, 1));
  object->started.get_future().wait();
  EXPECT_FALSE(ticker.Stop(std::chrono::steady_clock::now() + std::chrono::milliseconds(1)));
  object->released.set_value();
  EXPECT_TRUE(ticker.Stop());
}

}  // namespace
}  // namespace lss
