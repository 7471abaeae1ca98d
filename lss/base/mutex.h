// std::mutex and std::condition_variable, annotated for clang's thread safety analysis: which mutex
// guards which field is said to the compiler, and clang-tidy checks it (tests/run).
//
// Where a lambda would be the predicate of a wait, write the loop: the analysis does not see that a
// lambda runs under the lock of its caller.
#pragma once

#include <condition_variable>
#include <mutex>
#include <new>

#include "lss/base/fork_guard.h"

#if defined(__clang__)
#define LSS_THREAD_ANNOTATION(x) __attribute__((x))
#else
#define LSS_THREAD_ANNOTATION(x)
#endif

// On a field: read and written only with this mutex held.
#define LSS_GUARDED_BY(mutex) LSS_THREAD_ANNOTATION(guarded_by(mutex))
// On a function: its caller holds this mutex, before and after the call.
#define LSS_REQUIRES(mutex) LSS_THREAD_ANNOTATION(requires_capability(mutex))
// On a function: takes this mutex itself, so its caller must not hold it.
#define LSS_EXCLUDES(mutex) LSS_THREAD_ANNOTATION(locks_excluded(mutex))
#define LSS_ACQUIRE(...) LSS_THREAD_ANNOTATION(acquire_capability(__VA_ARGS__))
#define LSS_TRY_ACQUIRE(...) LSS_THREAD_ANNOTATION(try_acquire_capability(__VA_ARGS__))
#define LSS_RELEASE(...) LSS_THREAD_ANNOTATION(release_capability(__VA_ARGS__))

namespace lss {

class LSS_THREAD_ANNOTATION(capability("mutex")) Mutex {
 public:
  void Lock() LSS_ACQUIRE() { mutex_.lock(); }
  void Unlock() LSS_RELEASE() { mutex_.unlock(); }
  [[nodiscard]] bool TryLock() LSS_TRY_ACQUIRE(true) { return mutex_.try_lock(); }

 private:
  friend class CondVar;
  std::mutex mutex_;
};

class LSS_THREAD_ANNOTATION(scoped_lockable) MutexLock {
 public:
  explicit MutexLock(Mutex* mutex) LSS_ACQUIRE(mutex) : mutex_(mutex) { mutex_->Lock(); }
  ~MutexLock() LSS_RELEASE() {
    if (held_) {
      mutex_->Unlock();
    }
  }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

  // For a while, around a call that must not be made under the lock.
  void Unlock() LSS_RELEASE() {
    held_ = false;
    mutex_->Unlock();
  }
  void Lock() LSS_ACQUIRE() {
    mutex_->Lock();
    held_ = true;
  }

 private:
  Mutex* const mutex_;
  bool held_ = true;
};

// Waits may end for no reason: look again in a loop.
//
// A forked child has copies of those that the parent's threads wait on. libc would wait for these
// waiters, who are not there, at the copy's end and sometimes at a notification: neither does
// anything in the child.
class CondVar {
 public:
  CondVar() { new (&changed_) std::condition_variable; }
  ~CondVar() {
    if (!fork_guard_.InForkedChild()) {
      changed_.~condition_variable();
    }
  }
  CondVar(const CondVar&) = delete;
  CondVar& operator=(const CondVar&) = delete;

  void Wait(Mutex* mutex) LSS_REQUIRES(mutex) {
    std::unique_lock<std::mutex> lock(mutex->mutex_, std::adopt_lock);
    changed_.wait(lock);
    lock.release();
  }
  // `when` by value: what it was taken from may change while the mutex is free.
  template <typename TimePoint>
  void WaitUntil(Mutex* mutex, TimePoint when) LSS_REQUIRES(mutex) {
    std::unique_lock<std::mutex> lock(mutex->mutex_, std::adopt_lock);
    changed_.wait_until(lock, when);
    lock.release();
  }
  void NotifyOne() {
    if (!fork_guard_.InForkedChild()) {
      changed_.notify_one();
    }
  }
  void NotifyAll() {
    if (!fork_guard_.InForkedChild()) {
      changed_.notify_all();
    }
  }

 private:
  const ForkGuard fork_guard_;
  union {
    std::condition_variable changed_;
  };
};

}  // namespace lss
