// The threads for work that may block and that nobody waits for: zeroing ahead of the tail, turning
// hot, the last steps of a close.
//
// Jobs of one queue run one after the other; those of different queues do not wait for each other,
// as long as there are threads: one to begin with, more where one is busy, four at most. Hints only
// save time; they run one at a time, so that what is prepared does not get into the way of what is
// done. Where no thread can be had, a job runs at once on the calling thread, and a hint not at
// all.
//
// Thread safety: every method from any thread.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "lss/base/mutex.h"
#include "lss/base/warning_sink.h"
#include "lss/runtime/thread.h"

namespace lss {

class Maintenance {
 public:
  // As `ps -L` and `top -H` show it.
  static constexpr char kThreadName[] = "bloom_lfs:maint";
  static constexpr size_t kThreadsMax = 4;

  explicit Maintenance(WarningSink warn) : starter_(kThreadName, std::move(warn)) {}
  ~Maintenance();
  Maintenance(const Maintenance&) = delete;
  Maintenance& operator=(const Maintenance&) = delete;

  // Runs `job` soon, behind the others of `queue` (say, a directory); after Stop, and where there
  // is no thread, at once on the calling thread.
  void Enqueue(const std::string& queue, std::function<void()> job);
  // The same for a job that only saves time. False: it was dropped, and will not run.
  bool EnqueueHint(std::function<void()> job);
  // Returns when every job and hint enqueued before has run. For tests: it waits for everybody.
  void Drain();
  // Runs the jobs that are left, drops the hints, then ends the threads. Idempotent. False if that
  // took longer than until `deadline`; the threads still end by themselves.
  bool Stop(std::chrono::steady_clock::time_point deadline =
                std::chrono::steady_clock::time_point::max());
  // Lets the threads end when they have done their work, and waits for nothing.
  void BeginStop();

 private:
  using Clock = std::chrono::steady_clock;
  using Work = std::function<void()>;

  void Run();
  // Whether there is, or could be started, a thread for one more piece of work.
  bool HaveThread() LSS_REQUIRES(mutex_);
  // All three drop the lock while they call out; false if there was nothing they could do.
  bool RunOneJob() LSS_REQUIRES(mutex_);
  bool RunOneHint() LSS_REQUIRES(mutex_);
  void Call(Work work) LSS_REQUIRES(mutex_);

  Mutex mutex_;
  CondVar changed_;
  // Queues that have a job, be it one that runs.
  std::map<std::string, std::deque<Work>> queues_ LSS_GUARDED_BY(mutex_);
  // Those among them of which none runs.
  std::deque<std::string> ready_ LSS_GUARDED_BY(mutex_);
  std::deque<Work> hints_ LSS_GUARDED_BY(mutex_);
  bool hint_runs_ LSS_GUARDED_BY(mutex_) = false;
  bool stop_ LSS_GUARDED_BY(mutex_) = false;
  size_t idle_ LSS_GUARDED_BY(mutex_) = 0;     // threads that wait for work
  size_t running_ LSS_GUARDED_BY(mutex_) = 0;  // threads that have not ended
  ThreadStarter starter_ LSS_GUARDED_BY(mutex_);
  std::vector<Thread> threads_ LSS_GUARDED_BY(mutex_);
};

}  // namespace lss
