// The clock of streams that have something to do before long: an idle tail to write out, as a rule.
// Its thread exists from the first such stream on; a stream at rest costs nothing.
//
// Thread safety: every method from any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

#include "lss/base/mutex.h"
#include "lss/base/warning_sink.h"
#include "lss/runtime/thread.h"

namespace lss {

// Something that wants to be looked at from time to time.
class Ticking {
 public:
  virtual ~Ticking() = default;
  // Called on the ticker's thread; may block, which holds up others. Whether it wants to be called
  // again after the same time; if not, it is forgotten until the next Watch.
  [[nodiscard]] virtual bool Tick() = 0;
};

class Ticker {
 public:
  // As `ps -L` and `top -H` show it.
  static constexpr char kThreadName[] = "bloom_lfs:idle";

  explicit Ticker(WarningSink warn)
      : starter_(kThreadName, std::move(warn), ThreadStarter::Accepts::kAny) {}
  ~Ticker();
  Ticker(const Ticker&) = delete;
  Ticker& operator=(const Ticker&) = delete;

  // Ticks `object`, if it still lives, in `tick_ms`, and again as it asks. Once per object until it
  // is forgotten. False if there is nobody to do so, no thread or no more; nothing is noted then.
  [[nodiscard]] bool Watch(const std::weak_ptr<Ticking>& object, uint32_t tick_ms);
  // Ends the thread when the tick under way is done. Idempotent. False if that took longer than
  // until `deadline`; the thread still ends by itself.
  bool Stop(std::chrono::steady_clock::time_point deadline =
                std::chrono::steady_clock::time_point::max());
  // Lets the thread end, and waits for nothing.
  void BeginStop();
  // Objects that will be ticked, for tests and statistics.
  size_t watched_count() const;

 private:
  using Clock = std::chrono::steady_clock;
  struct Watched {
    Clock::time_point due;
    std::chrono::milliseconds period;
    std::weak_ptr<Ticking> object;
    // For a heap with the earliest in front.
    bool operator<(const Watched& other) const { return due > other.due; }
  };
  enum class State { kNoThread, kRunning, kEnded };

  void Run();
  // Drops the lock while it calls out. REQUIRES: there are objects, and the first is due.
  void TickFirst() LSS_REQUIRES(mutex_);
  void Push(Watched watched) LSS_REQUIRES(mutex_);
  Watched PopFirst() LSS_REQUIRES(mutex_);

  mutable Mutex mutex_;
  CondVar changed_;
  std::vector<Watched> heap_ LSS_GUARDED_BY(mutex_);
  State state_ LSS_GUARDED_BY(mutex_) = State::kNoThread;
  bool stop_ LSS_GUARDED_BY(mutex_) = false;
  ThreadStarter starter_ LSS_GUARDED_BY(mutex_);
  Thread thread_ LSS_GUARDED_BY(mutex_);
};

}  // namespace lss
