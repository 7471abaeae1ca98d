#include "lss/runtime/thread.h"

#include <linux/capability.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <memory>
#include <utility>

#include "lss/base/check.h"

namespace lss {
namespace {

// Nothing of ours needs more; the host's thread-local storage comes out of it, too.
constexpr size_t kStackBytes = 1 << 20;
constexpr std::chrono::milliseconds kRetry(100);
constexpr unsigned kTimerSlackNs = 50000;  // the kernel's default; real-time threads have none

// From the kernel's ioprio.h, which libc does not wrap.
constexpr int kIoPriorityOfProcess = 1;

struct Processors {
  bool known = false;
  cpu_set_t set;
};

Processors OfMainThread() {
  Processors found;
  CPU_ZERO(&found.set);
  found.known = sched_getaffinity(getpid(), sizeof(found.set), &found.set) == 0;
  return found;
}

// A program that is confined from outside is so from its start; what it does to its threads later
// is about its own work.
const Processors kAtLoad = OfMainThread();

Processors Allowed() {
  Processors allowed = OfMainThread();
  if (allowed.known && kAtLoad.known) {
    CPU_OR(&allowed.set, &allowed.set, &kAtLoad.set);
  }
  return allowed;
}

// A thread cannot be refused its own faults: the kernel kills a process whose thread blocks them.
sigset_t OthersSignals() {
  sigset_t set;
  sigfillset(&set);
  for (const int signal : {SIGBUS, SIGSEGV, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT}) {
    sigdelset(&set, signal);
  }
  return set;
}

int NiceOf(pid_t thread) { return getpriority(PRIO_PROCESS, static_cast<id_t>(thread)); }

bool IsIdle(pid_t thread) {
  return (sched_getscheduler(thread) & ~SCHED_RESET_ON_FORK) == SCHED_IDLE;
}

// The kernel's rule for taking the nice value `nice`, also for leaving SCHED_IDLE with it.
bool MayBecome(int nice) {
  rlimit limit = {};
  if (getrlimit(RLIMIT_NICE, &limit) == 0 && static_cast<rlim_t>(20 - nice) <= limit.rlim_cur) {
    return true;
  }
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {};
  return syscall(SYS_capget, &header, sets) == 0 &&
         (sets[0].effective & (uint32_t{1} << CAP_SYS_NICE)) != 0;
}

struct Launch {
  const char* name;
  std::function<void()> main;
  int nice;
  int io_priority;  // negative if unknown
  bool sets_own_place;
};

void TakePlace() {
  const sched_param ordinary = {};
  (void)sched_setscheduler(0, SCHED_OTHER, &ordinary);
  if (const Processors allowed = Allowed(); allowed.known) {
    (void)sched_setaffinity(0, sizeof(allowed.set), &allowed.set);
  }
}

// What only the thread itself can set. To get more of the processor than one was born with takes a
// privilege; without it there is nothing to do.
void SetOwn(const Launch& launch) {
  if (launch.sets_own_place) {
    TakePlace();
  }
  pthread_setname_np(pthread_self(), launch.name);
  prctl(PR_SET_TIMERSLACK, kTimerSlackNs, 0, 0, 0);
  (void)setpriority(PRIO_PROCESS, 0, launch.nice);  // of this thread only
  if (launch.io_priority >= 0) {
    (void)syscall(SYS_ioprio_set, kIoPriorityOfProcess, 0, launch.io_priority);
  }
}

void* Enter(void* argument) {
  const std::unique_ptr<Launch> launch(static_cast<Launch*>(argument));
  SetOwn(*launch);
  launch->main();
  return nullptr;
}

// The attributes that libc gives the thread before it runs: a thread that is born idle on a busy
// processor might wait long for its first step.
class Attributes {
 public:
  explicit Attributes(bool with_scheduling) {
    pthread_attr_init(&attributes_);
    (void)pthread_attr_setstacksize(&attributes_, kStackBytes);
    if (!with_scheduling) {
      return;
    }
    const sched_param ordinary = {};
    (void)pthread_attr_setinheritsched(&attributes_, PTHREAD_EXPLICIT_SCHED);
    (void)pthread_attr_setschedpolicy(&attributes_, SCHED_OTHER);
    (void)pthread_attr_setschedparam(&attributes_, &ordinary);
    if (const Processors allowed = Allowed(); allowed.known) {
      (void)pthread_attr_setaffinity_np(&attributes_, sizeof(allowed.set), &allowed.set);
    }
  }
  ~Attributes() { pthread_attr_destroy(&attributes_); }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
  const pthread_attr_t* get() const { return &attributes_; }

 private:
  pthread_attr_t attributes_;
};

}  // namespace

Thread::~Thread() { LSS_CHECK(!started_, "a thread must be joined before its handle goes"); }

Thread::Thread(Thread&& other) noexcept
    : started_(std::exchange(other.started_, false)), thread_(other.thread_) {}

Thread& Thread::operator=(Thread&& other) noexcept {
  LSS_CHECK(!started_, "a thread must be joined before its handle is used again");
  started_ = std::exchange(other.started_, false);
  thread_ = other.thread_;
  return *this;
}

Status Thread::Start(const char* name, std::function<void()> main, Thread* thread) {
  auto launch = std::make_unique<Launch>();
  *launch = {name, std::move(main), NiceOf(getpid()),
             static_cast<int>(syscall(SYS_ioprio_get, kIoPriorityOfProcess, getpid())),
             /*sets_own_place=*/false};
  const sigset_t blocked = OthersSignals();
  sigset_t before;
  pthread_sigmask(SIG_SETMASK, &blocked, &before);
  int error = pthread_create(&thread->thread_, Attributes(true).get(), Enter, launch.get());
  if (error != 0 && error != EAGAIN) {
    // Not privileged to leave the starter's policy, or its processors have gone meanwhile.
    launch->sets_own_place = true;
    error = pthread_create(&thread->thread_, Attributes(false).get(), Enter, launch.get());
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (error != 0) {
    return Status::FromErrno("start thread", name, -1, error);
  }
  (void)launch.release();  // the thread's own
  thread->started_ = true;
  return Status::Ok();
}

bool Thread::WouldBeOrdinary() {
  const int nice = NiceOf(getpid());
  const bool slower = NiceOf(0) > nice || (IsIdle(0) && !IsIdle(getpid()));
  return !slower || MayBecome(nice);
}

void Thread::Join() {
  if (started_) {
    LSS_CHECK(!IsCurrent(), "a thread cannot wait for its own end");
    pthread_join(thread_, nullptr);
    started_ = false;
  }
}

void Thread::Detach() {
  if (started_) {
    pthread_detach(thread_);
    started_ = false;
  }
}

bool ThreadStarter::Start(std::function<void()> main, Thread* thread) {
  if (!MayTry() || (accepts_ == Accepts::kOrdinary && !Thread::WouldBeOrdinary())) {
    return false;
  }
  const Status status = Thread::Start(name_, std::move(main), thread);
  if (!status.ok()) {
    Failed(status);
  }
  return status.ok();
}

void ThreadStarter::Failed(const Status& why) {
  next_try_ = Clock::now() + kRetry;
  if (warn_ && !warned_) {
    warned_ = true;
    warn_("no thread for background work (" + why.message() +
          "); callers do it themselves until there is one (raise the limit of threads: ulimit -u, "
          "pids.max of the cgroup)");
  }
}

}  // namespace lss
