// One file as the store sees it, and the asynchronous way to write sealed buffers to files.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "lss/base/status.h"
#include "lss/base/types.h"

namespace lss {

// What a finished write means. Completed is not durable: see Device::Sync.
enum class WriteKind {
  kPlain,    // completed when it returns, lost in a power cut until the next Sync
  kDurable,  // on the device when it returns; says nothing about earlier plain writes
};

// Blocking operations on one open file. A write returns whole or with an error: short transfers,
// EINTR and EAGAIN are finished inside.
//
// Thread safety: every method from any thread. Overlapping writes are the caller's to prevent.
class Device {
 public:
  virtual ~Device() = default;

  // REQUIRES while direct() is true: offset, lengths and memory are multiples of 4096.
  virtual Status Write(const std::vector<iovec>& pieces, Address offset, WriteKind kind) = 0;
  // Everything whose write had completed before the call is on the device when it returns OK,
  // with the metadata to find it. After an error it must not be called again for the same bytes:
  // the kernel has marked the failed pages clean, and a second call would report success.
  virtual Status Sync() = 0;
  // Hint: a sync will want these written bytes on the device, so the device may begin with them.
  // Nothing to do for direct writes, which are there already.
  virtual void StartWriteback(Address /*offset*/, uint64_t /*length*/) {}
  // Gives [offset, offset + length) real blocks; the file's size stays.
  virtual Status Allocate(Address offset, uint64_t length) = 0;
  // Sets the file's size; a larger one reads as zeros, a smaller one also frees what lies behind.
  virtual Status SetSize(uint64_t size) = 0;
  // Up to `length` bytes; fewer only at the end of the file.
  virtual Status Read(Address offset, size_t length, char* destination, size_t* read) = 0;

  // Turns direct I/O on or off. Enabling may leave it off where the file system refuses it.
  // REQUIRES: no write under way.
  virtual void SetDirect(bool enable) = 0;
  virtual bool direct() const = 0;
  // True once no directory names the file any more.
  virtual bool Unlinked() const = 0;

  virtual int fd() const = 0;
  virtual const std::string& name() const = 0;
};

// One write of sealed bytes that lie together in memory and in the file.
struct WriteOp {
  const char* data = nullptr;
  uint64_t length = 0;  // a multiple of 4096
  Address offset = 0;   // page aligned
  Address end() const { return offset + length; }
};

// One store's side of flushing. Called by the flusher's thread only; must outlive its writes.
class FlushClient {
 public:
  virtual ~FlushClient() = default;
  // Appends what may be written now; nothing if that is up to somebody else or to a later call.
  virtual void NextWrites(std::vector<WriteOp>* ops) = 0;
  // Each op of NextWrites comes back exactly once. An error is final: it is not retried.
  virtual void OnWriteDone(const WriteOp& op, const Status& status) = 0;
  // Whether the ops of one NextWrites must reach the file one after the other.
  virtual bool InOrder() const = 0;
  virtual Device* device() = 0;
};

// Carries batches of writes for many files. Used by one thread.
class AsyncWriter {
 public:
  using Done = std::function<void(FlushClient*, const WriteOp&, const Status&)>;

  virtual ~AsyncWriter() = default;
  // Takes the batch; every op is reported by a later Reap.
  virtual void Submit(FlushClient* client, const std::vector<WriteOp>& ops) = 0;
  // Reports finished ops. Waits until there is one, or until `wake_fd` (an eventfd) is readable,
  // whose count it consumes.
  virtual void Reap(const Done& done) = 0;
  virtual size_t in_flight() const = 0;
};

}  // namespace lss
