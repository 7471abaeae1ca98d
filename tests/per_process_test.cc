// One object for a process, another for its forked child.
#include "lss/base/per_process.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <set>
#include <thread>
#include <vector>

#include "lss/base/mutex.h"

namespace lss {
namespace {

struct Counted {
  Mutex mutex;
  int value = 0;
};

// What `check` says in a forked child.
template <typename Check>
bool InChild(const Check& check) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(20);  // ends a child that hangs
    _exit(check() ? 0 : 1);
  }
  int status = 0;
  return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST(PerProcess, IsMadeAtTheFirstUse) {
  static PerProcess<Counted> one;
  EXPECT_EQ(one.Peek(), nullptr);
  one.Get()->value = 5;
  EXPECT_EQ(one.Get()->value, 5);
  EXPECT_EQ(one.Peek(), one.Get());
}

TEST(PerProcess, AForkedChildHasItsOwnWhateverStateTheParentsIsIn) {
  static PerProcess<Counted> one;
  one.Get()->value = 5;
  const MutexLock locked(&one.Get()->mutex);
  EXPECT_TRUE(InChild([] {
    const bool unused = one.Peek() == nullptr;
    const MutexLock lock(&one.Get()->mutex);
    one.Get()->value += 1;
    const bool of_grandchild = InChild([] { return one.Get()->value == 0; });
    return unused && of_grandchild && one.Get()->value == 1;
  }));
  EXPECT_EQ(one.Get()->value, 5);
}

TEST(PerProcess, ThreadsThatMeetGetTheSame) {
  static std::array<PerProcess<Counted>, 100> all;
  for (PerProcess<Counted>& one : all) {
    std::vector<Counted*> got(4);
    std::vector<std::thread> threads;
    for (Counted*& mine : got) {
      threads.emplace_back([&] { mine = one.Get(); });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
    EXPECT_EQ(std::set<Counted*>(got.begin(), got.end()).size(), 1U);
  }
}

}  // namespace
}  // namespace lss
