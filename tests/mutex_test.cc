#include "lss/base/mutex.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <thread>

namespace lss {
namespace {

struct Counter {
  Mutex mutex;
  CondVar changed;
  int value LSS_GUARDED_BY(mutex) = 0;
};

TEST(Mutex, IsHeldByOneAtATime) {
  Counter counter;
  const auto add = [&] {
    for (int i = 0; i < 10000; ++i) {
      const MutexLock lock(&counter.mutex);
      ++counter.value;
    }
  };
  std::thread other(add);
  add();
  other.join();
  const MutexLock lock(&counter.mutex);
  EXPECT_EQ(counter.value, 20000);
}

TEST(Mutex, TryLockDoesNotWait) {
  Mutex mutex;
  ASSERT_TRUE(mutex.TryLock());
  bool taken = true;
  std::thread other([&] {
    taken = mutex.TryLock();
    if (taken) {
      mutex.Unlock();
    }
  });
  other.join();
  EXPECT_FALSE(taken);
  mutex.Unlock();
}

TEST(CondVar, AWaiterHoldsTheMutexAgainWhenItWakes) {
  Counter counter;
  std::thread other([&] {
    const MutexLock lock(&counter.mutex);
    counter.value = 1;
    counter.changed.NotifyAll();
  });
  {
    const MutexLock lock(&counter.mutex);
    while (counter.value == 0) {
      counter.changed.Wait(&counter.mutex);
    }
    bool free = true;
    std::thread([&] {
      free = counter.mutex.TryLock();
      if (free) {
        counter.mutex.Unlock();
      }
    }).join();
    EXPECT_FALSE(free);
  }
  other.join();
}

TEST(CondVar, AWaitWithATimeEnds) {
  Counter counter;
  const MutexLock lock(&counter.mutex);
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(5);
  while (std::chrono::steady_clock::now() < until) {
    counter.changed.WaitUntil(&counter.mutex, until);
  }
  EXPECT_EQ(counter.value, 0);
}

// The copy looks as if somebody waited on it, and nobody will ever stop.
TEST(CondVar, ACopyInAForkedChildEndsAtOnceThoughTheParentsThreadsWaitOnIt) {
  Counter counter;
  std::thread waiter([&] {
    const MutexLock lock(&counter.mutex);
    counter.value = 1;
    while (counter.value == 1) {
      counter.changed.Wait(&counter.mutex);
    }
  });
  while (true) {
    const MutexLock lock(&counter.mutex);
    if (counter.value == 1) {
      break;  // the waiter has let go of the mutex, so it waits
    }
  }
  const pid_t child = fork();
  if (child == 0) {
    alarm(10);
    for (int i = 0; i < 3; ++i) {
      counter.changed.NotifyAll();
    }
    counter.changed.~CondVar();
    _exit(0);
  }
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0) << "it hung until the alarm";
  {
    const MutexLock lock(&counter.mutex);
    counter.value = 2;
    counter.changed.NotifyAll();
  }
  waiter.join();
}

}  // namespace
}  // namespace lss
