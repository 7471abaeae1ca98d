#include "lss/runtime/background.h"

#include "lss/base/fork_guard.h"

namespace lss {
namespace {

// Holds a thread object that is stopped, but never destroyed, at exit: later exit handlers may
// still close stores. In a forked child there is no such thread to stop, and nothing to wait for.
template <typename Thread>
class StoppedAtExit {
 public:
  template <typename... Args>
  explicit StoppedAtExit(Args&&... args) : thread_(new Thread(std::forward<Args>(args)...)) {}
  ~StoppedAtExit() {
    if (!fork_guard_.InForkedChild()) {
      thread_->Stop();
    }
  }
  StoppedAtExit(const StoppedAtExit&) = delete;
  StoppedAtExit& operator=(const StoppedAtExit&) = delete;
  Thread& get() { return *thread_; }

 private:
  Thread* thread_;
  const ForkGuard fork_guard_;
};

}  // namespace

Flusher& Background::SharedFlusher(bool use_io_uring, const WarningSink& warn) {
  if (use_io_uring) {
    static StoppedAtExit<Flusher> with_uring(true, warn);
    return with_uring.get();
  }
  static StoppedAtExit<Flusher> without_uring(false, warn);
  return without_uring.get();
}

Maintenance& Background::SharedMaintenance() {
  static StoppedAtExit<Maintenance> maintenance;
  return maintenance.get();
}

}  // namespace lss
