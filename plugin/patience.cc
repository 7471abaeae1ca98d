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

// Whether it was done before patience ended.
bool Await(Work* work, std::chrono::milliseconds patience,
           const std::function<uint64_t()>& progress) {
  auto until = Clock::now() + patience;
  uint64_t last = progress ? progress() : 0;
  const lss::MutexLock lock(&work->mutex);
  while (!work->is_done && Clock::now() < until) {
    work->changed.WaitUntil(
        &work->mutex, progress ? std::min(until, Clock::now() + kAskForProgressEvery) : until);
    if (const uint64_t now = progress ? progress() : 0; now != last) {
      last = now;
      until = Clock::now() + patience;
    }
  }
  return work->is_done;
}

}  // namespace

bool DoWithin(std::chrono::milliseconds patience, const std::function<void()>& work,
              const std::function<uint64_t()>& progress) {
  const auto shared = std::make_shared<Work>();
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
  const bool is_done = Await(shared.get(), patience, progress);
  if (is_done) {
    thread.Join();
  } else {
    thread.Detach();
  }
  return is_done;
}

}  // namespace bloom_lfs
