// The store for logs and other files that are written from front to back: one appender, a stream
// without gaps.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include "lss/log_structured_store.h"

namespace lss {

// Address = offset in the file. Buffers are filled to the last byte.
//
// Thread safety: Append by one thread at a time; Close once, after the last append; everything else
// from any thread, beside Append too.
class DenseStream final : public LogStructuredStore {
 public:
  // `runtime` must outlive the stream. A ring of the same file whose owner died must have been
  // recovered before (recovery.h).
  static Status Open(Runtime* runtime, const std::string& path, const StoreOptions& options,
                     OpenMode mode, std::shared_ptr<DenseStream>* result);
  // On a device of the caller's, going on at its end. Needs options.ring_directory.
  static Status Open(Runtime* runtime, std::unique_ptr<Device> device, const StoreOptions& options,
                     std::shared_ptr<DenseStream>* result);

  // When it returns OK the bytes are readable, and survive the death of the process (SIGKILL). All
  // or nothing: what fails for want of room takes nothing and the stream goes on; any other error
  // is sticky. Blocks while the ring is full. Bytes that are more than the ring holds can break off
  // for want of room when some are in the file already: then nothing of them counts, and nothing
  // can be appended behind them. Of a retired stream, a sync that fails is an error, with the bytes
  // taken.
  Status Append(ByteView bytes);
  // This stream takes the appends from another one, which was like this. It may have been made long
  // before, when its predecessor had only begun. By the appender, before the first Append.
  void TakeOver(const Pace& predecessor) { LogStructuredStore::TakeOver(predecessor); }
  // A successor takes the appends. Nothing is prepared any more for bytes to come, and those that
  // come after all (RocksDB empties its own buffer last) are on the device when Append returns: the
  // successor has perhaps settled its predecessors already, and its first bytes must not overtake
  // them. From any thread, before this store is settled on behalf of the successor.
  void Retire();

  // Nothing to do: Append has put the bytes where they outlive the process.
  Status Flush() override;

 protected:
  Address AppendedEnd() const override {
    return accepted_end_.load(std::memory_order_acquire);  // P15
  }

 private:
  DenseStream(Parts parts, Address start) : LogStructuredStore(std::move(parts), start) {}
  static Status Finish(Parts parts, std::shared_ptr<DenseStream>* result);
  Status AdoptTail(Address size);
  // Stops short, with OK, where the ring fails meanwhile.
  Status CopyIn(const char* data, size_t size);
  // Append, the stock way, when the ring's file takes nothing any more.
  Status AppendUncounted(ByteView bytes);
  Status AppendPastRing(Address begin, ByteView bytes);
  Status Acknowledge(Address end);
  // Hands a sealed buffer to the pipeline if the caller got the duty.
  void HandOver(FlushDuty duty, const FlushBufferRing::Cursor& cursor);

  Status broken_off_;  // the appender's
  // End of what Append has accepted, also while it is still copying.
  std::atomic<Address> accepted_end_{0};
};

}  // namespace lss
