// What stores share: the threads that work for them, the memory that their rings may take, and
// where the threads say what they cannot return as an error. A store uses the runtime that it was
// opened with, and no other.
//
// Thread safety: every method from any thread.
#pragma once

#include <chrono>
#include <memory>

#include "lss/base/fork_guard.h"
#include "lss/base/warning_sink.h"
#include "lss/ring/ring_budget.h"
#include "lss/runtime/flusher.h"
#include "lss/runtime/maintenance.h"
#include "lss/runtime/ticker.h"

namespace lss {

class Runtime {
 public:
  // Starts nothing. `warn` is for what concerns all stores; each has a sink of its own besides.
  // `budget`: one that several runtimes share, and must outlive them; null: one of its own.
  explicit Runtime(const WarningSink& warn = nullptr, RingBudget* budget = nullptr);
  // Stops. REQUIRES: no store that was opened with it is left.
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  // Those who have the threads; each starts its own when there is something to do. Stores that ask
  // for io_uring share one flusher, the others another.
  Flusher* flusher(bool use_io_uring) {
    return use_io_uring ? &threads_->with_io_uring : &threads_->without_io_uring;
  }
  Maintenance* maintenance() { return &threads_->maintenance; }
  Ticker* ticker() { return &threads_->ticker; }
  RingBudget* ring_budget() { return budget_; }

  // Finishes what was deferred and ends the threads. Stores may go on: they do their work on the
  // calling thread then. Idempotent; not on one of the threads. In a forked child, which has none
  // of them, there is nothing to stop. False if that took longer than until `deadline`, say on a
  // disk that does not answer; the threads still end by themselves.
  bool Stop(std::chrono::steady_clock::time_point deadline =
                std::chrono::steady_clock::time_point::max());
  // Lets the threads end when they have done their work, and waits for nothing.
  void BeginStop();

 private:
  struct Threads {
    explicit Threads(const WarningSink& warn)
        : with_io_uring(true, warn),
          without_io_uring(false, warn),
          maintenance(warn),
          ticker(warn) {}
    Flusher with_io_uring;
    Flusher without_io_uring;
    Maintenance maintenance;
    Ticker ticker;
  };

  const ForkGuard fork_guard_;
  RingBudget own_budget_;
  RingBudget* const budget_;
  std::unique_ptr<Threads> threads_;
};

}  // namespace lss
