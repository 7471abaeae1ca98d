#include "lss/second_place/side_workers.h"

#include <utility>

namespace lss {

Status SideWorkers::Start(uint64_t threads, std::unique_ptr<SideWorkers>* result) {
  std::unique_ptr<SideWorkers> workers(new SideWorkers);
  for (uint64_t i = 0; i < threads; ++i) {
    Thread thread;
    Status status = Thread::Start(
        "bloom_side", [raw = workers.get()] { raw->Run(); }, &thread);
    if (!status.ok()) {
      return status;
    }
    workers->threads_.push_back(std::move(thread));
  }
  *result = std::move(workers);
  return Status::Ok();
}

SideWorkers::~SideWorkers() {
  {
    const MutexLock lock(&mutex_);
    stop_ = true;
    added_.NotifyAll();
  }
  for (Thread& thread : threads_) {
    thread.Join();
  }
}

void SideWorkers::Add(std::function<void()> work) {
  const MutexLock lock(&mutex_);
  work_.push_back(std::move(work));
  added_.NotifyOne();
}

void SideWorkers::Run() {
  MutexLock lock(&mutex_);
  for (;;) {
    while (work_.empty() && !stop_) {
      added_.Wait(&mutex_);
    }
    if (work_.empty()) {
      return;
    }
    std::function<void()> work = std::move(work_.front());
    work_.pop_front();
    lock.Unlock();
    work();
    work = nullptr;  // what it holds may end with it, and take time or add work
    lock.Lock();
  }
}

}  // namespace lss
