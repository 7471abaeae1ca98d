// What may hang is not waited for longer than that.
#include "plugin/patience.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <thread>

namespace bloom_lfs {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

TEST(PatienceTest, WhatEndsInTimeIsDoneAndItsThreadGone) {
  std::weak_ptr<int> left;
  {
    const auto value = std::make_shared<int>(0);
    left = value;
    EXPECT_TRUE(DoWithin(std::chrono::hours(1), [value] { *value = 7; }));
    EXPECT_EQ(*value, 7);
  }
  EXPECT_TRUE(left.expired()) << "the thread still has the work";
}

TEST(PatienceTest, WhatHangsIsLeftToItsThread) {
  std::promise<void> answer;
  const std::shared_future<void> answered(answer.get_future());
  std::promise<void> end;
  std::future<void> ended = end.get_future();
  const auto begin = steady_clock::now();
  EXPECT_FALSE(DoWithin(milliseconds(20), [answered, &end] {
    answered.wait();
    end.set_value();
  }));
  EXPECT_GE(steady_clock::now() - begin, milliseconds(20));
  answer.set_value();
  ended.wait();  // it goes on when its disk answers
}

// Slow is not hanging: each step begins when patience would have ended twice since the first.
TEST(PatienceTest, WhatGetsOnIsWaitedForHoweverLongItTakes) {
  static constexpr milliseconds kPatience(1000);
  static constexpr uint64_t kSteps = 6;
  std::atomic<uint64_t> steps{0};
  EXPECT_TRUE(DoWithin({kPatience, kPatience, [&steps] { return steps.load(); }}, [&steps] {
    for (uint64_t step = 0; step < kSteps; ++step) {
      std::this_thread::sleep_for(kPatience / 3);
      ++steps;
    }
  }));
  EXPECT_EQ(steps, kSteps);
}

TEST(PatienceTest, WhatGotOnAndThenHangsIsNot) {
  std::promise<void> answer;
  const std::shared_future<void> answered(answer.get_future());
  std::promise<void> end;
  std::future<void> ended = end.get_future();
  const auto steps = std::make_shared<std::atomic<uint64_t>>(0);
  EXPECT_FALSE(DoWithin({milliseconds(200), milliseconds(200), [steps] { return steps->load(); }},
                        [answered, steps, &end] {
                          ++*steps;
                          answered.wait();
                          end.set_value();
                        }));
  answer.set_value();
  ended.wait();
}

// Others have waited before: what is left of their patience is for the first step only.
TEST(PatienceTest, AfterTheFirstStepPatienceIsWhole) {
  const auto steps = std::make_shared<std::atomic<uint64_t>>(0);
  ++*steps;
  EXPECT_TRUE(DoWithin(
      {milliseconds(300), std::chrono::hours(1), [steps] { return steps->load(); }}, [steps] {
        ++*steps;
        std::this_thread::sleep_for(milliseconds(900));
      }));
}

}  // namespace
}  // namespace bloom_lfs
