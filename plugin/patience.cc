#include "plugin/patience.h"

#include <algorithm>
#include <memory>

#include "lss/base/mutex.h"
#include "lss/base/status.h"
#include "lss/runtime/thread.h"

namespace bloom_lfs {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kAskForProgressEvery(100);

struct Work {
  lss::Mutex mutex;
  lss::CondVar changed;
  bool is_done LSS_GUARDED_BY(mutex) = false;
};

// Whether it was done before patience ended. `last`: the steps when it began.
bool Await(Work* work, const Patience& patience, uint64_t last) {
  auto until = Clock::now() + patience.at_first;
  const lss::MutexLock lock(&work->mutex);
  while (!work->is_done && Clock::now() < until) {
    work->changed.WaitUntil(&work->mutex, std::min(until, Clock::now() + kAskForProgressEvery));
    if (const uint64_t now = patience.steps(); now != last) {
      last = now;
      until = Clock::now() + patience.after_each_step;
    }
  }
  return work->is_done;
}

}  // namespace

bool DoWithin(std::chrono::milliseconds patience, const std::function<void()>& work) {
  return DoWithin({patience, patience, [] { return uint64_t{0}; }}, work);
}

bool DoWithin(const Patience& patience, const std::function<void()>& work) {
  const auto shared = std::make_shared<Work>();
  const uint64_t steps = patience.steps();
  lss::Thread thread;
  const lss::Status started = lss::Thread::Start(
      "bloom_patience",
      [shared, work] {
        work();
        const lss::MutexLock lock(&shared->mutex);
        shared->is_done = true;
        shared->changed.NotifyAll();
      },
      &thread);
  if (!started.ok()) {
    work();
    return true;
  }
  const bool is_done = Await(shared.get(), patience, steps);
  if (is_done) {
    thread.Join();
  } else {
    thread.Detach();
  }
  return is_done;
}

}  // namespace bloom_lfs
