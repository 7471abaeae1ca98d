// Threads that bring streams to their side log, for those who wait for something else meanwhile, or
// not for ever. As many as the log may have writes under way.
//
// Thread safety: every method from any thread; the destructor after all others.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "lss/base/mutex.h"
#include "lss/base/status.h"
#include "lss/runtime/thread.h"

namespace lss {

class SideWorkers {
 public:
  // An error: there are no threads.
  static Status Start(uint64_t threads, std::unique_ptr<SideWorkers>* result);
  // Does what was added before, so it waits for devices.
  ~SideWorkers();
  SideWorkers(const SideWorkers&) = delete;
  SideWorkers& operator=(const SideWorkers&) = delete;

  void Add(std::function<void()> work);

 private:
  SideWorkers() = default;
  void Run();

  Mutex mutex_;
  CondVar added_;
  std::deque<std::function<void()>> work_ LSS_GUARDED_BY(mutex_);
  bool stop_ LSS_GUARDED_BY(mutex_) = false;
  std::vector<Thread> threads_;
};

}  // namespace lss
