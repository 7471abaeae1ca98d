// Where a stream's bytes are kept for good, as the store sees it: a file, or something that can do
// what a file does. The disk is a parameter of the store.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "lss/base/status.h"
#include "lss/base/stream_id.h"
#include "lss/base/types.h"

namespace lss {

class AsyncWriter;
class FlushClient;

// What a finished write means. Completed is not durable: see Device::Sync.
enum class WriteKind {
  kPlain,    // completed when it returns, lost in a power cut until the next Sync
  kDurable,  // on the device when it returns; says nothing about earlier plain writes
};

// One write of sealed bytes that lie together in memory and in the stream.
struct WriteOp {
  const char* data = nullptr;
  uint64_t length = 0;  // a multiple of 4096
  Address offset = 0;   // page aligned
  int64_t shift = 0;    // what its device adds to `offset` for the place in a file; page aligned
  Address end() const { return offset + length; }
};

// One of several reads.
struct ReadOp {
  Address offset = 0;
  size_t length = 0;
  char* destination = nullptr;
};

// A write that makes no progress this often in a row has failed: no reason to spin.
constexpr int kMaxStalls = 16;

// One stream's place. A write returns whole or with an error: short transfers, EINTR and EAGAIN are
// finished inside.
//
// Thread safety: every method from any thread, unless it says otherwise. Overlapping writes are the
// caller's to prevent.
class Device {
 public:
  virtual ~Device() = default;

  // --- who it is ---

  // For messages; a file's path.
  virtual const std::string& name() const = 0;
  // Which stream this is, and how many bytes it holds.
  virtual Status Identify(StreamId* id, uint64_t* size) = 0;
  // Lets others find the stream under its name. Called once, when its ring is there: no stream of
  // ours is ever seen without one before it is closed. Nothing to do if it has had its name before.
  virtual Status Publish() { return Status::Ok(); }
  // True once nobody will ever look for the stream again: no directory names its file any more.
  virtual bool Unreachable() const { return false; }

  // Whether writing over written bytes changes those blocks and nothing else. Where it does not
  // (copy-on-write file systems), space that is prepared ahead of the tail is no gain.
  virtual bool overwrites_in_place() const { return true; }

  // --- blocking ---

  // REQUIRES while the cache is bypassed: offset, lengths and memory are multiples of 4096.
  virtual Status Write(const std::vector<iovec>& pieces, Address offset, WriteKind kind) = 0;
  // Everything whose write had completed before the call is on the device when it returns OK,
  // with the metadata to find it. After an error it must not be called again for the same bytes:
  // the kernel has marked the failed pages clean, and a second call would report success.
  virtual Status Sync() = 0;
  // Gives [offset, offset + length) real blocks; the size stays.
  virtual Status Allocate(Address offset, uint64_t length) = 0;
  // Sets the size; a larger one reads as zeros, a smaller one also frees what lies behind.
  virtual Status SetSize(uint64_t size) = 0;
  // No size above it is allowed to this process, whatever room there is.
  virtual uint64_t SizeLimit() const { return UINT64_MAX; }
  // What is left for this stream and for all others who share the device with it. A hint: it ages
  // at once, and does not know of quotas.
  virtual uint64_t FreeBytes() const { return UINT64_MAX; }
  // Another way to the same bytes, for work that nobody waits for. Its errors are its own: a device
  // tells of a failed write-back once, and what its Sync is told, Sync of this one still will be.
  // Must not outlive this device. An error: there is none at the moment.
  virtual Status OpenAside(std::unique_ptr<Device>* aside) = 0;
  // Up to `length` bytes; fewer only at the end.
  virtual Status Read(Address offset, size_t length, char* destination, size_t* read) = 0;
  // All of `reads` whole, several at a time where the device can. After an error any of them may
  // have been read.
  virtual Status ReadTogether(const std::vector<ReadOp>& reads);

  // --- asynchronous, on the flusher's thread ---

  // Begins to write `ops`, plainly, one after the other if client->InOrder(). Each comes back
  // exactly once through `writer`: by what the writer does itself (a file's way), or reported to it
  // by the device, from any thread. The base class blocks and reports.
  virtual void Submit(AsyncWriter* writer, FlushClient* client, const std::vector<WriteOp>& ops);

  // --- hints ---

  // A sync will want these written bytes on the device, so the device may begin with them.
  virtual void StartWriteback(Address /*offset*/, uint64_t /*length*/) {}
  // Whether writes should go past this machine's page cache. Where that is refused, or there is
  // none, nothing changes. REQUIRES: no write under way.
  virtual void BypassCache(bool /*bypass*/) {}
};

}  // namespace lss
