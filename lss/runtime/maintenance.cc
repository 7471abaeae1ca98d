#include "lss/runtime/maintenance.h"

#include <pthread.h>

#include <algorithm>

namespace lss {

Maintenance::Maintenance() {
  thread_ = std::thread([this] { Run(); });
}

Maintenance::~Maintenance() { Stop(); }

bool Maintenance::Put(std::function<void()>* job) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (stopped_) {
      return false;
    }
    jobs_.push_back(std::move(*job));
  }
  changed_.notify_all();
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
    const std::lock_guard<std::mutex> lock(mutex_);
    watched_.push_back({object, period, Clock::now() + period});
  }
  changed_.notify_all();
}

void Maintenance::Drain() {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [this] { return stopped_ || (jobs_.empty() && !running_job_); });
}

void Maintenance::Stop() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) {
    thread_.join();
  }
}

void Maintenance::Run() {
  pthread_setname_np(pthread_self(), kThreadName);
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    if (RunOneJob(&lock)) {
      continue;
    }
    if (stop_) {
      stopped_ = true;
      changed_.notify_all();
      return;
    }
    TickDue(&lock);
    if (!jobs_.empty() || stop_) {
      continue;
    }
    if (watched_.empty()) {
      changed_.wait(lock);
    } else {
      changed_.wait_until(lock, NextDue());
    }
  }
}

bool Maintenance::RunOneJob(std::unique_lock<std::mutex>* lock) {
  if (jobs_.empty()) {
    return false;
  }
  std::function<void()> job = std::move(jobs_.front());
  jobs_.pop_front();
  running_job_ = true;
  lock->unlock();
  job();
  job = nullptr;  // what it owns goes before we say that it is done
  lock->lock();
  running_job_ = false;
  changed_.notify_all();
  return true;
}

void Maintenance::TickDue(std::unique_lock<std::mutex>* lock) {
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
  lock->unlock();
  for (const std::shared_ptr<Ticking>& object : due) {
    if (object != nullptr) {
      object->Tick();
    }
  }
  due.clear();  // may destroy the last reference; not under the lock
  lock->lock();
}

Maintenance::Clock::time_point Maintenance::NextDue() const {
  Clock::time_point next = watched_.front().due;
  for (const Watched& watched : watched_) {
    next = std::min(next, watched.due);
  }
  return next;
}

}  // namespace lss
