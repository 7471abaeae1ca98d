// What stores share: the threads that work for them, the memory that their rings may take, and
// where the threads say what they cannot return as an error. A store uses the runtime that it was
// opened with, and no other.
//
// Thread safety: every method from any thread.
#pragma once

#include <memory>

#include "lss/base/fork_guard.h"
#include "lss/base/mutex.h"
#include "lss/base/warning_sink.h"
#include "lss/ring/ring_budget.h"
#include "lss/runtime/flusher.h"
#include "lss/runtime/maintenance.h"

namespace lss {

class Runtime {
 public:
  // Starts nothing. `warn` is for what concerns all stores; each has a sink of its own besides.
  explicit Runtime(WarningSink warn = nullptr);
  // Stops. REQUIRES: no store that was opened with it is left.
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  // The threads; each is started when it is first asked for. Stores that ask for io_uring share one
  // flusher, the others another.
  Flusher* flusher(bool use_io_uring);
  Maintenance* maintenance();
  RingBudget* ring_budget() { return &ring_budget_; }

  // Finishes what was deferred and ends the threads. Stores may go on: they do their work on the
  // calling thread then. Idempotent; not on one of the threads. In a forked child, which has none
  // of them, there is nothing to stop.
  void Stop();

 private:
  const ForkGuard fork_guard_;
  const WarningSink warn_;
  RingBudget ring_budget_;
  Mutex stopping_;  // held by the one who stops; taken before mutex_
  Mutex mutex_;
  bool stopped_ LSS_GUARDED_BY(mutex_) = false;
  std::unique_ptr<Flusher> with_io_uring_ LSS_GUARDED_BY(mutex_);
  std::unique_ptr<Flusher> without_io_uring_ LSS_GUARDED_BY(mutex_);
  std::unique_ptr<Maintenance> maintenance_ LSS_GUARDED_BY(mutex_);
};

}  // namespace lss
