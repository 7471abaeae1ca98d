#include "lss/runtime/maintenance.h"

#include <algorithm>
#include <utility>

#include "lss/base/check.h"

namespace lss {

Maintenance::~Maintenance() { Stop(); }

bool Maintenance::HaveThread() {
  // Idle threads may have work already that they have not woken up to.
  const size_t waiting = ready_.size() + (hints_.empty() || hint_runs_ ? 0 : 1);
  if (waiting < idle_ || running_ == kThreadsMax) {
    return true;
  }
  Thread thread;
  if (starter_.Start([this] { Run(); }, &thread)) {
    threads_.push_back(std::move(thread));
    ++running_;
    ++idle_;  // it will find the work
  }
  return running_ > 0;
}

void Maintenance::Enqueue(const std::string& queue, Work job) {
  {
    const MutexLock lock(&mutex_);
    const auto found = queues_.find(queue);
    if (!stop_ && found != queues_.end()) {
      found->second.push_back(std::move(job));
      return;  // to whoever runs the one before
    }
    if (!stop_ && HaveThread()) {
      queues_[queue].push_back(std::move(job));
      ready_.push_back(queue);
      job = nullptr;
    }
  }
  if (job == nullptr) {
    changed_.NotifyAll();
  } else {
    job();
  }
}

bool Maintenance::EnqueueHint(Work job) {
  {
    const MutexLock lock(&mutex_);
    if (stop_ || !HaveThread()) {
      return false;
    }
    hints_.push_back(std::move(job));
  }
  changed_.NotifyAll();
  return true;
}

void Maintenance::Drain() {
  const MutexLock lock(&mutex_);
  while (!queues_.empty() || hint_runs_ || (!stop_ && !hints_.empty())) {
    changed_.Wait(&mutex_);
  }
}

void Maintenance::BeginStop() {
  {
    const MutexLock lock(&mutex_);
    stop_ = true;
  }
  changed_.NotifyAll();
}

bool Maintenance::Stop(Clock::time_point deadline) {
  BeginStop();
  std::vector<Thread> ended;
  std::deque<Work> dropped;  // what they own goes without the lock
  {
    const MutexLock lock(&mutex_);
    LSS_CHECK(std::none_of(threads_.begin(), threads_.end(),
                           [](const Thread& thread) { return thread.IsCurrent(); }),
              "a thread cannot wait for its own end");
    dropped.swap(hints_);
    while (running_ > 0 && Clock::now() < deadline) {
      changed_.WaitUntil(&mutex_, deadline);
    }
    if (running_ > 0) {
      return false;
    }
    ended.swap(threads_);
  }
  for (Thread& thread : ended) {
    thread.Join();
  }
  return true;
}

void Maintenance::Run() {
  const MutexLock lock(&mutex_);
  for (;;) {
    --idle_;
    while (RunOneJob() || RunOneHint()) {
    }
    if (stop_ && ready_.empty()) {
      break;
    }
    ++idle_;
    changed_.Wait(&mutex_);
  }
  --running_;
  changed_.NotifyAll();
}

bool Maintenance::RunOneJob() {
  if (ready_.empty()) {
    return false;
  }
  const std::string queue = std::move(ready_.front());
  ready_.pop_front();
  Call(std::move(queues_[queue].front()));
  queues_[queue].pop_front();
  if (queues_[queue].empty()) {
    queues_.erase(queue);
  } else {
    ready_.push_back(queue);
  }
  changed_.NotifyAll();
  return true;
}

bool Maintenance::RunOneHint() {
  if (hints_.empty() || hint_runs_ || stop_) {
    return false;
  }
  Work hint = std::move(hints_.front());
  hints_.pop_front();
  hint_runs_ = true;
  Call(std::move(hint));
  hint_runs_ = false;
  changed_.NotifyAll();
  return true;
}

void Maintenance::Call(Work work) {
  mutex_.Unlock();
  work();
  work = nullptr;  // what it owns goes before we say that it is done
  mutex_.Lock();
}

}  // namespace lss
