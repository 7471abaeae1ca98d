// The asynchronous way to write sealed buffers to devices: one for the flusher's thread and all of
// its streams.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "lss/base/mutex.h"
#include "lss/device/device.h"

namespace lss {

// One stream's side of flushing. Called by the flusher's thread only; must outlive its writes.
class FlushClient {
 public:
  virtual ~FlushClient() = default;
  // Appends what may be written now; nothing if that is up to somebody else or to a later call.
  virtual void NextWrites(std::vector<WriteOp>* ops) = 0;
  // Each op of NextWrites comes back exactly once. An error is final: it is not retried.
  virtual void OnWriteDone(const WriteOp& op, const Status& status) = 0;
  // Whether the ops of one NextWrites must reach the device one after the other.
  virtual bool InOrder() const = 0;
  virtual Device* device() = 0;
};

// Writes `op` now, plainly.
Status WriteNow(Device* device, const WriteOp& op);

// Carries batches of writes. Used by the flusher's thread, but for Post.
class AsyncWriter {
 public:
  using Done = std::function<void(FlushClient*, const WriteOp&, const Status&)>;

  // `wake_fd`: an eventfd that ends a waiting Reap; not owned.
  explicit AsyncWriter(int wake_fd) : wake_fd_(wake_fd) {}
  virtual ~AsyncWriter() = default;
  AsyncWriter(const AsyncWriter&) = delete;
  AsyncWriter& operator=(const AsyncWriter&) = delete;

  // --- for devices ---

  // Writes `ops` of `client` to the open file `fd`; every op is reported by a later Reap.
  virtual void WriteFile(int fd, FlushClient* client, const std::vector<WriteOp>& ops) = 0;
  // An op that the device has finished by means of its own, on the flusher's thread ...
  void Report(FlushClient* client, const WriteOp& op, const Status& status);
  // ... or on any other.
  void Post(FlushClient* client, const WriteOp& op, const Status& status);

  // --- for the flusher ---

  // Reports finished ops. Waits until there is one, or until `wake_fd` is readable, whose count it
  // consumes.
  virtual void Reap(const Done& done) = 0;
  // Batches that WriteFile has taken and Reap has not yet reported.
  virtual size_t in_flight() const = 0;

 protected:
  struct Finished {
    FlushClient* client;
    WriteOp op;
    Status status;
  };
  // What devices have reported since the last call.
  std::vector<Finished> TakeReported();
  size_t reported_count() const;
  int wake_fd() const { return wake_fd_; }

 private:
  const int wake_fd_;
  mutable Mutex mutex_;
  std::vector<Finished> reported_ LSS_GUARDED_BY(mutex_);
};

}  // namespace lss
