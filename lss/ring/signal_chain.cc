#include "lss/ring/signal_chain.h"

#include <sched.h>
#include <sys/types.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdint>

namespace lss::signal_chain {
namespace {

// Handlers that ours has displaced, the oldest first. Written once each, before the count.
constexpr uint32_t kDisplacedMax = 8;
struct sigaction g_displaced[kDisplacedMax];
std::atomic<uint32_t> g_displaced_count{0};

// One thread installs. Keyed by process: a child that was forked meanwhile must not wait for a
// thread that it does not have.
std::atomic<pid_t> g_installer{0};

class InstallerLock {
 public:
  InstallerLock() {
    const pid_t self = getpid();
    pid_t holder = 0;
    while (!g_installer.compare_exchange_strong(holder, self, std::memory_order_acquire)) {  // P32
      if (holder == self) {
        holder = 0;
        sched_yield();
      }
    }
  }
  ~InstallerLock() { g_installer.store(0, std::memory_order_release); }  // P32
  InstallerLock(const InstallerLock&) = delete;
  InstallerLock& operator=(const InstallerLock&) = delete;
};

bool Is(const struct sigaction& action, Handler handler) {
  return (action.sa_flags & SA_SIGINFO) != 0 && action.sa_sigaction == handler;
}

// The signal that a thread is passing on, so that it is recognised when it comes back.
struct Passing {
  const siginfo_t* info = nullptr;
  uintptr_t frame = 0;
  uint32_t depth = 0;
};
struct Place {
  std::atomic<pid_t> thread{0};  // 0: free
  Passing passing;               // that thread's own
};
std::array<Place, 32> g_places;

// Null if more threads than places are at it.
Place* PlaceOf(pid_t thread) {
  for (Place& place : g_places) {
    if (place.thread.load(std::memory_order_relaxed) == thread) {  // our own, or nobody's business
      return &place;
    }
  }
  for (Place& place : g_places) {
    pid_t nobody = 0;
    if (place.thread.compare_exchange_strong(nobody, thread, std::memory_order_acquire)) {  // P34
      place.passing = {};
      return &place;
    }
  }
  return nullptr;
}

void TakeDefaultAction(int signal, const siginfo_t& info) {
  struct sigaction standard = {};
  standard.sa_handler = SIG_DFL;
  sigaction(signal, &standard, nullptr);
  if (info.si_code <= 0) {
    raise(signal);  // sent, not met: it does not come again by itself
  }
}

void Call(const struct sigaction& action, int signal, siginfo_t* info, void* context) {
  const bool ignored = (action.sa_flags & SA_SIGINFO) == 0 && action.sa_handler == SIG_IGN;
  const bool standard = (action.sa_flags & SA_SIGINFO) == 0 && action.sa_handler == SIG_DFL;
  if (ignored && info->si_code <= 0) {
    return;
  }
  if (ignored || standard) {  // a fault cannot be ignored
    TakeDefaultAction(signal, *info);
    return;
  }
  // The kernel puts the mask back when we return.
  pthread_sigmask(SIG_BLOCK, &action.sa_mask, nullptr);
  if ((action.sa_flags & SA_NODEFER) != 0) {
    sigset_t itself;
    sigemptyset(&itself);
    sigaddset(&itself, signal);
    pthread_sigmask(SIG_UNBLOCK, &itself, nullptr);
  }
  if ((action.sa_flags & SA_SIGINFO) != 0) {
    action.sa_sigaction(signal, info, context);
  } else {
    action.sa_handler(signal);
  }
}

}  // namespace

void PutOnTop(Handler handler) {
  if (IsOnTop(handler)) {
    return;
  }
  const InstallerLock lock;
  struct sigaction before = {};
  const uint32_t count = g_displaced_count.load(std::memory_order_relaxed);  // under the lock
  if (sigaction(SIGBUS, nullptr, &before) != 0 || Is(before, handler) || count == kDisplacedMax) {
    return;
  }
  // First known, then displaced: a fault may come at once.
  g_displaced[count] = before;
  g_displaced_count.store(count + 1, std::memory_order_release);  // P33
  struct sigaction ours = {};
  ours.sa_sigaction = handler;
  // On the alternate stack where a thread has one: runtimes with small stacks ask that of
  // everybody.
  ours.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
  sigemptyset(&ours.sa_mask);
  sigaction(SIGBUS, &ours, nullptr);
}

bool IsOnTop(Handler handler) {
  struct sigaction current = {};
  return sigaction(SIGBUS, nullptr, &current) == 0 && Is(current, handler);
}

void PassOn(int signal, siginfo_t* info, void* context) {
  Passing here = {info, reinterpret_cast<uintptr_t>(__builtin_frame_address(0)), 0};
  Place* const place = PlaceOf(gettid());
  const Passing outer = place != nullptr ? place->passing : Passing{};
  // The same signal, deeper in the stack: whom we called has called us. Of a handler that jumped
  // out and never came back the note is still there; a new signal is not deeper than that at its
  // place.
  const bool came_back = here.frame < outer.frame && info == outer.info;
  if (came_back) {
    here.depth = outer.depth + 1;
  }
  if (place != nullptr) {
    place->passing = here;
  }
  const uint32_t count = g_displaced_count.load(std::memory_order_acquire);  // P33
  if (here.depth < count) {
    Call(g_displaced[count - 1 - here.depth], signal, info, context);
  } else {
    TakeDefaultAction(signal, *info);
  }
  if (place == nullptr) {
    return;
  }
  place->passing = outer;
  if (!came_back) {
    place->thread.store(0, std::memory_order_release);  // P34
  }
}

}  // namespace lss::signal_chain
