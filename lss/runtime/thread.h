// A thread of ours in somebody else's process: it gets what the process is run with, not what the
// thread that happens to start it has set for itself.
#pragma once

#include <pthread.h>

#include <chrono>
#include <functional>
#include <string>

#include "lss/base/status.h"
#include "lss/base/warning_sink.h"

namespace lss {

// Handle of a running thread. Not thread safe itself.
class Thread {
 public:
  Thread() = default;
  // REQUIRES: joined, or never started.
  ~Thread();
  Thread(Thread&& other) noexcept;
  Thread& operator=(Thread&& other) noexcept;
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;

  // Runs `main` on a new thread with
  // - the name `name`, at most 15 characters;
  // - the ordinary scheduling policy; nice value and I/O priority of the process's main thread;
  // - the processors that the main thread may use now, or might when this code was loaded;
  // - a stack that no limit of the shell makes too small;
  // - all signals blocked but those that a fault raises: the host's handlers run on its threads.
  // The error is pthread_create's: EAGAIN where the process, the user or the cgroup has no thread
  // left. What the caller is not privileged to set for another thread stays as it is.
  static Status Start(const char* name, std::function<void()> main, Thread* thread);

  // False if a thread that the caller starts would be slower than the process's main thread, for
  // want of the privilege to undo what the caller has done to itself (SCHED_IDLE, nice).
  static bool WouldBeOrdinary();

  bool joinable() const { return started_; }
  bool IsCurrent() const { return started_ && pthread_equal(thread_, pthread_self()) != 0; }
  void Join();
  // In a forked child, which has the handle but not the thread.
  void Forget() { started_ = false; }
  // Leaves it to itself: what it has goes when it ends.
  void Detach();

 private:
  bool started_ = false;
  pthread_t thread_ = {};
};

// Starts threads of one kind, and where none can be had, does not ask the kernel again and again.
//
// Thread safety: as its owner's lock says.
class ThreadStarter {
 public:
  // Whether a thread that is slower than others is better than none.
  enum class Accepts { kOrdinary, kAny };
  // `name` as for Thread::Start; `warn` may be null.
  ThreadStarter(const char* name, WarningSink warn, Accepts accepts = Accepts::kOrdinary)
      : name_(name), warn_(std::move(warn)), accepts_(accepts) {}

  // False: none can be had now, or not by this caller. Says so once if there is none left; a call
  // soon afterwards does not try then.
  [[nodiscard]] bool Start(std::function<void()> main, Thread* thread);
  // The same with the reason of another step that a thread needs.
  void Failed(const Status& why);
  bool MayTry() const { return Clock::now() >= next_try_; }

 private:
  using Clock = std::chrono::steady_clock;
  const char* const name_;
  const WarningSink warn_;
  const Accepts accepts_;
  Clock::time_point next_try_;
  bool warned_ = false;
};

}  // namespace lss
