// What a process has one of, and a forked child one of its own: threads, locks and registers are
// the parent's, and the copy that a fork makes of them may be locked for ever.
#pragma once

#include <atomic>

#include "lss/base/fork_guard.h"

namespace lss {

// For variables in static storage. The object is made at the first use in each process and never
// destroyed: later exit handlers may use it. No lock and no guard of the compiler is involved, for
// a fork beside another thread's first use would copy that, too.
//
// Thread safety: Get and Peek from any thread.
template <typename T>
class PerProcess {
 public:
  constexpr PerProcess() = default;
  PerProcess(const PerProcess&) = delete;
  PerProcess& operator=(const PerProcess&) = delete;

  T* Get() {
    Made* made = made_.load(std::memory_order_acquire);  // P20
    while (made == nullptr || made->guard.InForkedChild()) {
      auto* const fresh = new Made;
      fresh->of_parent = made;
      if (made_.compare_exchange_strong(made, fresh, std::memory_order_acq_rel,  // P20
                                        std::memory_order_acquire)) {
        made = fresh;
      } else {
        delete fresh;  // another thread was first
      }
    }
    return &made->object;
  }
  // Null if this process has not used it.
  T* Peek() {
    Made* const made = made_.load(std::memory_order_acquire);  // P20
    return made == nullptr || made->guard.InForkedChild() ? nullptr : &made->object;
  }

 private:
  struct Made {
    ForkGuard guard;
    T object;
    Made* of_parent = nullptr;  // left as the fork found it, but not lost
  };
  std::atomic<Made*> made_{nullptr};
};

}  // namespace lss
