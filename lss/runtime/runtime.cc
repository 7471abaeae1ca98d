#include "lss/runtime/runtime.h"

namespace lss {

Runtime::Runtime(const WarningSink& warn, RingBudget* budget)
    : budget_(budget != nullptr ? budget : &own_budget_),
      threads_(std::make_unique<Threads>(warn)) {}

Runtime::~Runtime() {
  if (fork_guard_.InForkedChild()) {
    // Copies of threads that are the parent's, and of mutexes in any state: left as they are.
    (void)threads_.release();
    return;
  }
  Stop();
}

void Runtime::BeginStop() {
  if (fork_guard_.InForkedChild()) {
    return;
  }
  threads_->maintenance.BeginStop();
  threads_->ticker.BeginStop();
}

bool Runtime::Stop(std::chrono::steady_clock::time_point deadline) {
  if (fork_guard_.InForkedChild()) {
    return true;
  }
  // The flushers last: jobs and ticks may wait for them.
  const bool idle_ended = threads_->ticker.Stop(deadline);
  bool ended = threads_->maintenance.Stop(deadline) && idle_ended;
  for (Flusher* flusher : {&threads_->with_io_uring, &threads_->without_io_uring}) {
    ended = flusher->Stop(deadline) && ended;
  }
  return ended;
}

}  // namespace lss
