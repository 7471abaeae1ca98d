#include "lss/runtime/maintenance.h"

#include <pthread.h>

#include <algorithm>

#include "lss/base/check.h"

namespace lss {

Maintenance::Maintenance() {
  thread_ = std::thread([this] { Run(); });
}

Maintenance::~Maintenance() { Stop(); }

bool Maintenance::Put(std::function<void()>* job) {
  {
    const MutexLock lock(&mutex_);
    if (stopped_) {
      return false;
    }
    jobs_.push_back(std::move(*job));
  }
  changed_.NotifyAll();
  return true;
}

void Maintenance::Enqueue(std::function<void()> job) {
  if (!Put(&job)) {
    job();
  }
}

void Maintenance::EnqueueHint(std::function<void()> job) { (void)Put(&job); }

void Maintenance::Watch(const std::weak_ptr<Ticking>& object, uint32_t tick_ms) {
  const std::chrono::milliseconds period(tick_ms);
  {
    const MutexLock lock(&mutex_);
    watched_.push_back({object, period, Clock::now() + period});
  }
  changed_.NotifyAll();
}

void Maintenance::Drain() {
  const MutexLock lock(&mutex_);
  while (!stopped_ && (!jobs_.empty() || running_job_)) {
    changed_.Wait(&mutex_);
  }
}

void Maintenance::Stop() {
  {
    const MutexLock lock(&mutex_);
    stop_ = true;
  }
  changed_.NotifyAll();
  LSS_CHECK(thread_.get_id() != std::this_thread::get_id(), "a thread cannot wait for its own end");
  if (thread_.joinable()) {
    thread_.join();
  }
}

void Maintenance::Run() {
  pthread_setname_np(pthread_self(), kThreadName);
  const MutexLock lock(&mutex_);
  for (;;) {
    if (RunOneJob()) {
      continue;
    }
    if (stop_) {
      stopped_ = true;
      changed_.NotifyAll();
      return;
    }
    TickDue();
    if (!jobs_.empty() || stop_) {
      continue;
    }
    if (watched_.empty()) {
      changed_.Wait(&mutex_);
    } else {
      changed_.WaitUntil(&mutex_, NextDue());
    }
  }
}

bool Maintenance::RunOneJob() {
  if (jobs_.empty()) {
    return false;
  }
  std::function<void()> job = std::move(jobs_.front());
  jobs_.pop_front();
  running_job_ = true;
  mutex_.Unlock();
  job();
  job = nullptr;  // what it owns goes before we say that it is done
  mutex_.Lock();
  running_job_ = false;
  changed_.NotifyAll();
  return true;
}

void Maintenance::TickDue() {
  const Clock::time_point now = Clock::now();
  std::vector<std::shared_ptr<Ticking>> due;
  for (Watched& watched : watched_) {
    if (watched.due <= now) {
      watched.due = now + watched.period;
      due.push_back(watched.object.lock());
    }
  }
  watched_.erase(std::remove_if(watched_.begin(), watched_.end(),
                                [](const Watched& watched) { return watched.object.expired(); }),
                 watched_.end());
  if (due.empty()) {
    return;
  }
  mutex_.Unlock();
  for (const std::shared_ptr<Ticking>& object : due) {
    if (object != nullptr) {
      object->Tick();
    }
  }
  due.clear();  // may destroy the last reference; not under the lock
  mutex_.Lock();
}

Maintenance::Clock::time_point Maintenance::NextDue() const {
  Clock::time_point next = watched_.front().due;
  for (const Watched& watched : watched_) {
    next = std::min(next, watched.due);
  }
  return next;
}

}  // namespace lss
