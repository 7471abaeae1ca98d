#include "lss/runtime/ticker.h"

#include <algorithm>
#include <utility>

#include "lss/base/check.h"

namespace lss {

Ticker::~Ticker() { Stop(); }

void Ticker::Push(Watched watched) {
  heap_.push_back(std::move(watched));
  std::push_heap(heap_.begin(), heap_.end());
}

Ticker::Watched Ticker::PopFirst() {
  std::pop_heap(heap_.begin(), heap_.end());
  Watched first = std::move(heap_.back());
  heap_.pop_back();
  return first;
}

bool Ticker::Watch(const std::weak_ptr<Ticking>& object, uint32_t tick_ms) {
  const std::chrono::milliseconds period(tick_ms);
  bool earlier = false;
  {
    const MutexLock lock(&mutex_);
    if (stop_) {
      return false;
    }
    if (state_ == State::kNoThread) {
      if (!starter_.Start([this] { Run(); }, &thread_)) {
        return false;
      }
      state_ = State::kRunning;
    }
    const Clock::time_point due = Clock::now() + period;
    earlier = heap_.empty() || due < heap_.front().due;
    Push({due, period, object});
  }
  if (earlier) {
    changed_.NotifyAll();
  }
  return true;
}

void Ticker::BeginStop() {
  {
    const MutexLock lock(&mutex_);
    stop_ = true;
  }
  changed_.NotifyAll();
}

bool Ticker::Stop(Clock::time_point deadline) {
  BeginStop();
  Thread ended;
  {
    const MutexLock lock(&mutex_);
    LSS_CHECK(!thread_.IsCurrent(), "a thread cannot wait for its own end");
    while (state_ == State::kRunning && Clock::now() < deadline) {
      changed_.WaitUntil(&mutex_, deadline);
    }
    if (state_ == State::kRunning) {
      return false;
    }
    ended = std::move(thread_);
  }
  ended.Join();
  return true;
}

size_t Ticker::watched_count() const {
  const MutexLock lock(&mutex_);
  return heap_.size();
}

void Ticker::Run() {
  const MutexLock lock(&mutex_);
  while (!stop_) {
    if (heap_.empty()) {
      changed_.Wait(&mutex_);
    } else if (heap_.front().due <= Clock::now()) {
      TickFirst();
    } else {
      changed_.WaitUntil(&mutex_, heap_.front().due);
    }
  }
  state_ = State::kEnded;
  changed_.NotifyAll();
}

void Ticker::TickFirst() {
  Watched first = PopFirst();
  mutex_.Unlock();
  bool again = false;
  if (std::shared_ptr<Ticking> object = first.object.lock()) {
    again = object->Tick();
    // Here, not under the lock: it may be the last reference.
    object.reset();
  }
  first.due = Clock::now() + first.period;
  mutex_.Lock();
  if (again) {
    Push(std::move(first));
  }
}

}  // namespace lss
