// The thread that carries sealed buffers of many stores to their devices.
//
// Thread safety: Request and Stop from any thread.
#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <unordered_set>
#include <vector>

#include "lss/base/mutex.h"
#include "lss/base/unique_fd.h"
#include "lss/base/warning_sink.h"
#include "lss/device/async_writer.h"
#include "lss/runtime/thread.h"

namespace lss {

class Flusher {
 public:
  // Starts nothing; the thread comes with the first request. With `use_io_uring` false, or where
  // the kernel refuses io_uring, writes block it.
  Flusher(bool use_io_uring, WarningSink warn);
  ~Flusher();
  Flusher(const Flusher&) = delete;
  Flusher& operator=(const Flusher&) = delete;

  // As `ps -L` and `top -H` show it.
  static constexpr char kThreadName[] = "bloom_lfs:flush";

  // Asks the thread to call client->NextWrites soon. `client` is kept until it has been asked and
  // all of its writes are done. After Stop, and where no thread can be had, the caller itself does
  // the writing, blocking; the next request looks for a thread again.
  void Request(std::shared_ptr<FlushClient> client);
  // Finishes what was requested and ends the thread. Idempotent. False if that took longer than
  // until `deadline`; the thread still ends by itself.
  bool Stop(std::chrono::steady_clock::time_point deadline =
                std::chrono::steady_clock::time_point::max());
  // Lets the thread end when it has done its work, and waits for nothing.
  void BeginStop();
  // Whether writes go through io_uring; known once the first write was asked for.
  bool uses_io_uring() const;

 private:
  enum class State { kNoThread, kRunning, kEnded };

  bool HaveThread() LSS_REQUIRES(mutex_);
  void Wake() const;
  void Run();
  void MakeWriter(std::unique_ptr<AsyncWriter>* writer);
  void Ask(AsyncWriter* writer, const std::shared_ptr<FlushClient>& client);
  static void DrainInline(FlushClient* client);

  const bool use_io_uring_;
  const WarningSink warn_;
  UniqueFd wake_fd_;  // made before the thread, not changed afterwards
  // Clients with writes in the kernel; the thread's own.
  struct Busy {
    std::shared_ptr<FlushClient> client;
    size_t writes = 0;
  };
  std::vector<Busy> busy_;

  mutable Mutex mutex_;
  std::deque<std::shared_ptr<FlushClient>> requests_ LSS_GUARDED_BY(mutex_);
  std::unordered_set<FlushClient*> requested_ LSS_GUARDED_BY(mutex_);
  // The thread waits on wake_fd_, or is about to.
  bool sleeping_ LSS_GUARDED_BY(mutex_) = false;
  bool stop_ LSS_GUARDED_BY(mutex_) = false;
  State state_ LSS_GUARDED_BY(mutex_) = State::kNoThread;
  bool uses_io_uring_ LSS_GUARDED_BY(mutex_) = false;
  ThreadStarter starter_ LSS_GUARDED_BY(mutex_);
  Thread thread_ LSS_GUARDED_BY(mutex_);
  CondVar ended_;
};

}  // namespace lss
