#include "plugin/second/patient_end.h"

#include <memory>

#include "lss/base/mutex.h"
#include "lss/base/status.h"
#include "lss/runtime/thread.h"

namespace bloom_lfs {
namespace {

struct Ending {
  lss::Mutex mutex;
  lss::CondVar changed;
  bool is_over LSS_GUARDED_BY(mutex) = false;
};

}  // namespace

bool EndWithin(std::chrono::milliseconds time, const std::function<void()>& end) {
  const auto ending = std::make_shared<Ending>();
  lss::Thread thread;
  const lss::Status status = lss::Thread::Start(
      "bloom_close",
      [ending, end] {
        end();
        const lss::MutexLock lock(&ending->mutex);
        ending->is_over = true;
        ending->changed.NotifyAll();
      },
      &thread);
  if (!status.ok()) {
    end();
    return true;
  }
  const auto until = std::chrono::steady_clock::now() + time;
  lss::MutexLock lock(&ending->mutex);
  while (!ending->is_over && std::chrono::steady_clock::now() < until) {
    ending->changed.WaitUntil(&ending->mutex, until);
  }
  const bool is_over = ending->is_over;
  lock.Unlock();
  if (is_over) {
    thread.Join();
  } else {
    thread.Forget();
  }
  return is_over;
}

}  // namespace bloom_lfs
