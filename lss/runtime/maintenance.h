// The thread for work that may block and that nobody waits for: zeroing ahead of the tail, writing
// out idle tails, the last steps of a close.
//
// Thread safety: every method from any thread.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "lss/base/mutex.h"

namespace lss {

// Something that wants to be looked at from time to time.
class Ticking {
 public:
  virtual ~Ticking() = default;
  // Called about every `tick_ms` on the maintenance thread. May block.
  virtual void Tick() = 0;
};

class Maintenance {
 public:
  // As `ps -L` and `top -H` show it.
  static constexpr char kThreadName[] = "bloom_lfs:maint";

  Maintenance();
  ~Maintenance();
  Maintenance(const Maintenance&) = delete;
  Maintenance& operator=(const Maintenance&) = delete;

  // Runs `job` soon, in order with other jobs; after Stop at once on the calling thread.
  void Enqueue(std::function<void()> job);
  // The same for a job that only saves time: after Stop it is dropped.
  void EnqueueHint(std::function<void()> job);
  // Ticks `object` every `tick_ms` for as long as it lives.
  void Watch(const std::weak_ptr<Ticking>& object, uint32_t tick_ms);
  // Returns when every job enqueued before has run.
  void Drain();
  // Runs the jobs that are left, then ends the thread. Idempotent.
  void Stop();

 private:
  using Clock = std::chrono::steady_clock;
  struct Watched {
    std::weak_ptr<Ticking> object;
    std::chrono::milliseconds period;
    Clock::time_point due;
  };

  void Run();
  // Takes the job, unless the thread has ended.
  bool Put(std::function<void()>* job);
  // Both drop the lock while they call out.
  bool RunOneJob() LSS_REQUIRES(mutex_);
  void TickDue() LSS_REQUIRES(mutex_);
  Clock::time_point NextDue() const LSS_REQUIRES(mutex_);

  Mutex mutex_;
  CondVar changed_;
  std::deque<std::function<void()>> jobs_ LSS_GUARDED_BY(mutex_);
  std::vector<Watched> watched_ LSS_GUARDED_BY(mutex_);
  bool running_job_ LSS_GUARDED_BY(mutex_) = false;
  bool stop_ LSS_GUARDED_BY(mutex_) = false;
  bool stopped_ LSS_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace lss
