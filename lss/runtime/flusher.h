// The thread that carries sealed buffers of all stores to their files. One per process.
//
// Thread safety: Request and Stop from any thread.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_set>
#include <vector>

#include "lss/base/file_identity.h"
#include "lss/device/device.h"
#include "lss/options.h"

namespace lss {

class Flusher {
 public:
  // With `use_io_uring` false, or where the kernel refuses io_uring, writes block this thread.
  Flusher(bool use_io_uring, WarningSink warn);
  ~Flusher();
  Flusher(const Flusher&) = delete;
  Flusher& operator=(const Flusher&) = delete;

  // As `ps -L` and `top -H` show it.
  static constexpr char kThreadName[] = "bloom_lfs:flush";

  // Asks the thread to call client->NextWrites soon. `client` is kept until it has been asked and
  // all of its writes are done. After Stop the caller itself does the writing, blocking.
  void Request(std::shared_ptr<FlushClient> client);
  // Finishes what was requested and ends the thread. Idempotent.
  void Stop();
  // Whether writes go through io_uring; known once the first write was asked for.
  bool uses_io_uring() const;

 private:
  void Run();
  void MakeWriter(std::unique_ptr<AsyncWriter>* writer);
  void Ask(AsyncWriter* writer, const std::shared_ptr<FlushClient>& client);
  static void DrainInline(FlushClient* client);

  const bool use_io_uring_;
  const WarningSink warn_;
  UniqueFd wake_fd_;
  // Clients with writes in the kernel; the thread's own.
  struct Busy {
    std::shared_ptr<FlushClient> client;
    size_t writes = 0;
  };
  std::vector<Busy> busy_;

  mutable std::mutex mutex_;
  std::deque<std::shared_ptr<FlushClient>> requests_;
  std::unordered_set<FlushClient*> requested_;
  bool sleeping_ = false;  // the thread waits on wake_fd_, or is about to
  bool stop_ = false;
  bool stopped_ = false;
  bool uses_io_uring_ = false;
  std::thread thread_;
};

}  // namespace lss
