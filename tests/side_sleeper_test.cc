// An appender that sleeps before it takes room, until its buffer has been used for so many other
// groups that it looks the same again. A signal puts it to sleep wherever it is: of the 200 times a
// few are right there.
#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "lss/ring/buffer_state.h"
#include "tests/support/side_log_fixture.h"

namespace lss {
namespace {

using std::chrono::steady_clock;
using test::StreamNumber;

std::atomic<bool> g_asleep{false};
std::atomic<bool> g_wake{false};

void SleepUntilWoken(int) {
  const int error_number = errno;
  g_asleep = true;
  while (!g_wake) {
    const timespec moment = {0, 20000};
    nanosleep(&moment, nullptr);
  }
  g_asleep = false;
  errno = error_number;
}

class SideSleeperTest : public test::SideLogFixture {
 protected:
  static constexpr uint64_t kLaps = kGenerations * SideLog::kGroups;  // in groups

  SideSleeperTest() {
    std::unique_ptr<SideSpace> space;  // with room for all these groups of a page
    EXPECT_TRUE(SideSpace::Format(std::make_unique<test::BorrowedDevice>(&device_), Uuid{1},
                                  kSuperblocksBytes + kLaps * kGroupBytes / 2, kGroupBytes, &space)
                    .ok());
    OpenLog();
    struct sigaction action = {};
    action.sa_handler = SleepUntilWoken;
    action.sa_flags = SA_RESTART;
    sigaction(SIGUSR1, &action, &before_);
  }
  ~SideSleeperTest() override { sigaction(SIGUSR1, &before_, nullptr); }

  struct sigaction before_ = {};
};

TEST_F(SideSleeperTest, IsToldTheGroupThatItsRecordIsIn) {
  uint64_t all_laps = 0;
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    std::atomic<bool> stop{false};
    std::atomic<uint64_t> appended{0};
    std::atomic<uint64_t> last_group{0};
    std::thread sleeper([&] {
      while (!stop) {
        uint64_t group = 0;
        ASSERT_TRUE(Append(1, appended, "s", &group).ok());
        last_group = group;
        if (++appended % 64 == 0) {
          log_->FileDurable(StreamNumber(1), appended - 1);
        }
      }
    });
    while (appended < 20 && !testing::Test::HasFailure()) {
      std::this_thread::yield();
    }
    g_wake = false;
    const auto moment = steady_clock::now() + std::chrono::nanoseconds(random() % 20000);
    while (steady_clock::now() < moment) {
    }
    pthread_kill(sleeper.native_handle(), SIGUSR1);
    while (!g_asleep) {
      std::this_thread::yield();
    }
    stop = true;
    // If it sleeps inside a buffer or a mutex, nobody gets round.
    std::atomic<uint64_t> groups{0};
    std::thread others([&] {
      while (groups < kLaps && !g_wake) {
        EXPECT_TRUE(Put(2, groups, "o").ok());
        ++groups;
      }
    });
    uint64_t seen = UINT64_MAX;
    while (groups < kLaps && groups != seen) {
      seen = groups;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    all_laps += groups >= kLaps ? 1 : 0;
    g_wake = true;
    others.join();
    sleeper.join();
    ASSERT_TRUE(log_->Sync(last_group).ok());
    const std::vector<Found> found = Scan();
    bool is_there = false;
    for (const Found& record : found) {
      is_there = is_there || (record.stream == StreamNumber(1) && record.offset + 1 == appended);
    }
    ASSERT_TRUE(is_there) << round;
    log_->Forget(StreamNumber(1));
    log_->Forget(StreamNumber(2));
    log_->NoteHead();
  }
  RecordProperty("slept_for_all_laps", std::to_string(all_laps));
}

}  // namespace
}  // namespace lss
