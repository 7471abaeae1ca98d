#include "plugin/default_runtime.h"

#include "lss/base/fork_guard.h"
#include "plugin/warning.h"

namespace bloom_lfs {
namespace {

// Stopped, but not destroyed, at exit. In a forked child there are no such threads to stop, and
// nothing to wait for.
class StoppedAtExit {
 public:
  StoppedAtExit() : runtime_(new lss::Runtime(WarnOnce)) {}
  ~StoppedAtExit() {
    if (!fork_guard_.InForkedChild()) {
      runtime_->Stop();
    }
  }
  StoppedAtExit(const StoppedAtExit&) = delete;
  StoppedAtExit& operator=(const StoppedAtExit&) = delete;
  lss::Runtime* get() const { return runtime_; }

 private:
  lss::Runtime* const runtime_;
  const lss::ForkGuard fork_guard_;
};

}  // namespace

lss::Runtime* DefaultRuntime() {
  static const StoppedAtExit runtime;
  return runtime.get();
}

}  // namespace bloom_lfs
