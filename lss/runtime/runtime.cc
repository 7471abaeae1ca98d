#include "lss/runtime/runtime.h"

#include <utility>

namespace lss {

Runtime::Runtime(WarningSink warn) : warn_(std::move(warn)) {}

Runtime::~Runtime() {
  if (fork_guard_.InForkedChild()) {
    // Copies of threads that are the parent's, and of a mutex in any state: left as they are.
    (void)with_io_uring_.release();
    (void)without_io_uring_.release();
    (void)maintenance_.release();
    return;
  }
  Stop();
}

Flusher* Runtime::flusher(bool use_io_uring) {
  const MutexLock lock(&mutex_);
  std::unique_ptr<Flusher>& flusher = use_io_uring ? with_io_uring_ : without_io_uring_;
  if (flusher == nullptr) {
    flusher = std::make_unique<Flusher>(use_io_uring, warn_);
    if (stopped_) {
      flusher->Stop();
    }
  }
  return flusher.get();
}

Maintenance* Runtime::maintenance() {
  const MutexLock lock(&mutex_);
  if (maintenance_ == nullptr) {
    maintenance_ = std::make_unique<Maintenance>();
    if (stopped_) {
      maintenance_->Stop();
    }
  }
  return maintenance_.get();
}

void Runtime::Stop() {
  if (fork_guard_.InForkedChild()) {
    return;
  }
  const MutexLock stopping(&stopping_);
  Maintenance* maintenance = nullptr;
  Flusher* with = nullptr;
  Flusher* without = nullptr;
  {
    const MutexLock lock(&mutex_);
    stopped_ = true;
    maintenance = maintenance_.get();
    with = with_io_uring_.get();
    without = without_io_uring_.get();
  }
  // Not under the lock: the jobs that are left may ask for a thread. Maintenance first: its jobs
  // may wait for a flusher.
  if (maintenance != nullptr) {
    maintenance->Stop();
  }
  for (Flusher* flusher : {with, without}) {
    if (flusher != nullptr) {
      flusher->Stop();
    }
  }
}

}  // namespace lss
