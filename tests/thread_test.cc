// What a thread of ours is like, whoever starts it.
#include "lss/runtime/thread.h"

#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace lss {
namespace {

struct Seen {
  int policy = -1;
  int nice = -100;
  int io_priority = -1;
  int processors = 0;
  int timer_slack_ns = 0;
  size_t stack_bytes = 0;
  sigset_t blocked = {};
  std::string name;
};

int Processors(pid_t thread) {
  cpu_set_t set;
  return sched_getaffinity(thread, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : -1;
}

Seen Look() {
  Seen seen;
  seen.policy = sched_getscheduler(0);
  seen.nice = getpriority(PRIO_PROCESS, 0);
  seen.io_priority = static_cast<int>(syscall(SYS_ioprio_get, 1, 0));
  seen.processors = Processors(0);
  seen.timer_slack_ns = prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0);
  pthread_sigmask(SIG_SETMASK, nullptr, &seen.blocked);
  char name[16] = {};
  pthread_getname_np(pthread_self(), name, sizeof(name));
  seen.name = name;
  pthread_attr_t attributes;
  pthread_getattr_np(pthread_self(), &attributes);
  pthread_attr_getstacksize(&attributes, &seen.stack_bytes);
  pthread_attr_destroy(&attributes);
  return seen;
}

// A thread started by one that has done `first`.
template <typename First>
Seen StartedBy(const First& first) {
  Seen seen;
  std::thread([&] {
    first();
    Thread thread;
    const Status status = Thread::Start(
        "bloom_lfs:test", [&] { seen = Look(); }, &thread);
    EXPECT_TRUE(status.ok()) << status.ToString();
    thread.Join();
  }).join();
  return seen;
}

void PinToOne() {
  cpu_set_t allowed;
  sched_getaffinity(0, sizeof(allowed), &allowed);
  int first = 0;
  while (!CPU_ISSET(first, &allowed)) {
    ++first;
  }
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(first, &one);
  ASSERT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
}

void ExpectOrdinary(const Seen& seen) {
  EXPECT_EQ(seen.policy, SCHED_OTHER);
  EXPECT_EQ(seen.nice, getpriority(PRIO_PROCESS, getpid()));
  EXPECT_EQ(seen.io_priority, syscall(SYS_ioprio_get, 1, getpid()));
  EXPECT_EQ(seen.processors, Processors(getpid()));
  EXPECT_EQ(seen.timer_slack_ns, 50000);
}

TEST(Thread, HasItsNameAndAStackOfItsOwnSize) {
  const Seen seen = StartedBy([] {});
  EXPECT_EQ(seen.name, "bloom_lfs:test");
  EXPECT_GE(seen.stack_bytes, 1U << 20);
  ExpectOrdinary(seen);
}

TEST(Thread, IsNotPinnedByOneWhoIs) {
  if (Processors(0) < 2) {
    GTEST_SKIP() << "needs two processors";
  }
  ExpectOrdinary(StartedBy(PinToOne));
}

// What takes a privilege to be undone can be undone by root only.
class PrivilegedThread : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) {
      GTEST_SKIP() << "needs root";
    }
  }
};

// For the calling thread only.
void DropPrivilege() {
  rlimit none = {};
  getrlimit(RLIMIT_NICE, &none);
  ASSERT_EQ(none.rlim_cur, 0U) << "a limit that is a privilege";
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {};
  ASSERT_EQ(syscall(SYS_capget, &header, sets), 0);
  sets[0].effective &= ~(uint32_t{1} << CAP_SYS_NICE);
  ASSERT_EQ(syscall(SYS_capset, &header, sets), 0);
}

TEST_F(PrivilegedThread, IsNotIdleBecauseItsStarterIs) {
  const sched_param none = {};
  ExpectOrdinary(StartedBy([&] { ASSERT_EQ(sched_setscheduler(0, SCHED_IDLE, &none), 0); }));
  ExpectOrdinary(StartedBy([&] { ASSERT_EQ(sched_setscheduler(0, SCHED_BATCH, &none), 0); }));
}

TEST_F(PrivilegedThread, IsNotRealTimeBecauseItsStarterIs) {
  sched_param real_time = {};
  real_time.sched_priority = 5;
  bool allowed = false;
  const Seen seen =
      StartedBy([&] { allowed = sched_setscheduler(0, SCHED_FIFO, &real_time) == 0; });
  ExpectOrdinary(seen);
  if (!allowed) {
    GTEST_SKIP() << "no real-time threads here";
  }
}

TEST_F(PrivilegedThread, IsAsNiceAsTheMainThread) {
  ExpectOrdinary(StartedBy([] { ASSERT_EQ(setpriority(PRIO_PROCESS, 0, 15), 0); }));
  ExpectOrdinary(StartedBy([] { ASSERT_EQ(syscall(SYS_ioprio_set, 1, 0, 3 << 13), 0); }));
}

// Without the privilege to undo it, what a thread has done to itself would stay with ours.
TEST_F(PrivilegedThread, IsNotStartedByOneWhoWouldMakeItSlow) {
  const auto started_without_privilege = [](const std::function<void()>& first,
                                            ThreadStarter::Accepts accepts) {
    bool started = false;
    std::thread([&] {
      DropPrivilege();
      first();
      std::vector<std::string> said;
      ThreadStarter starter(
          "test", [&](const std::string& line) { said.push_back(line); }, accepts);
      Thread thread;
      started = starter.Start([] {}, &thread);
      thread.Join();
      EXPECT_TRUE(said.empty()) << said.front();
    }).join();
    return started;
  };
  const auto idle = [] {
    const sched_param none = {};
    ASSERT_EQ(sched_setscheduler(0, SCHED_IDLE, &none), 0);
  };
  const auto nice = [] { ASSERT_EQ(setpriority(PRIO_PROCESS, 0, 15), 0); };
  using Accepts = ThreadStarter::Accepts;
  EXPECT_TRUE(started_without_privilege([] {}, Accepts::kOrdinary));
  EXPECT_FALSE(started_without_privilege(idle, Accepts::kOrdinary));
  EXPECT_FALSE(started_without_privilege(nice, Accepts::kOrdinary));
  EXPECT_TRUE(started_without_privilege(idle, Accepts::kAny));
  EXPECT_TRUE(started_without_privilege(nice, Accepts::kAny));
}

TEST(Thread, TakesNoSignalButItsOwnFaults) {
  const Seen seen = StartedBy([] {
    sigset_t faults;
    sigemptyset(&faults);
    sigaddset(&faults, SIGBUS);  // even if the starter blocks them
    pthread_sigmask(SIG_BLOCK, &faults, nullptr);
  });
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGCHLD, SIGPIPE, SIGPROF, SIGALRM}) {
    EXPECT_EQ(sigismember(&seen.blocked, signal), 1) << signal;
  }
  for (const int signal : {SIGBUS, SIGSEGV, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT}) {
    EXPECT_EQ(sigismember(&seen.blocked, signal), 0) << signal;
  }
}

TEST(Thread, LeavesTheStartersSignalsAsTheyWere) {
  sigset_t before;
  sigset_t after;
  pthread_sigmask(SIG_SETMASK, nullptr, &before);
  Thread thread;
  ASSERT_TRUE(Thread::Start(
                  "test", [] {}, &thread)
                  .ok());
  thread.Join();
  pthread_sigmask(SIG_SETMASK, nullptr, &after);
  for (int signal = 1; signal < 32; ++signal) {
    EXPECT_EQ(sigismember(&before, signal), sigismember(&after, signal)) << signal;
  }
}

TEST(Thread, CanBeHandedOn) {
  Thread first;
  EXPECT_FALSE(first.joinable());
  ASSERT_TRUE(Thread::Start(
                  "test", [] {}, &first)
                  .ok());
  Thread second(std::move(first));
  EXPECT_TRUE(second.joinable());
  EXPECT_FALSE(second.IsCurrent());
  second.Join();
  second.Join();
  EXPECT_FALSE(second.joinable());
}

}  // namespace
}  // namespace lss
