// START HERE. A log-structured store over one file: a latch-free ring of buffers that outlives the
// process, flushed to the file behind the writers' backs, durable on request.
//
// Two ways to append, never both on one store:
// - Append(bytes): one appender at a time, a dense stream; address = file offset.
// - Reserve(n): many threads, disjoint ranges; a record never crosses a buffer's end, the rest of a
//   page behind the last record of a flushed buffer is zeros.
//
// What returns when:
// - Append                the bytes are readable, and survive the death of the process (SIGKILL).
// - Reserve + Write       the record is in the ring; Flush makes it survive the process.
// - Flush                 everything before the call survives the process, synced or not.
// - Sync                  everything before the call is on the device. Concurrent callers share
// one.
// - Close                 the file has exactly its bytes, as visible and as durable as after
// close(2).
//
// Thread safety: Append by one thread at a time, Close once after the last append; Reserve, Flush,
// Sync, Read and the accessors from any thread, beside Append too.
// After a failed write or sync every call returns that error, and nothing is acknowledged any more.
// A forked child's copy is closed: its calls return Closed and leave the parent's file and ring
// alone.
#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "lss/base/fork_guard.h"
#include "lss/device/sync_device.h"
#include "lss/reservation.h"
#include "lss/ring/flush_buffer_ring.h"
#include "lss/ring/ring_budget.h"
#include "lss/ring/ring_memory.h"
#include "lss/runtime/background.h"
#include "lss/stream/flush_pipeline.h"
#include "lss/stream/space.h"
#include "lss/stream/tail_writer.h"

namespace lss {

class LogStructuredStore final : public Ticking,
                                 public std::enable_shared_from_this<LogStructuredStore> {
 public:
  enum class OpenMode {
    kTruncate,  // create, or empty an existing file
    kAppend,    // continue an existing file at its end (Append only); create it if missing
  };

  // A ring of the same file whose owner died must have been recovered before (recovery.h).
  static Status Open(const std::string& path, const StoreOptions& options, OpenMode mode,
                     std::shared_ptr<LogStructuredStore>* result);
  ~LogStructuredStore() override;
  LogStructuredStore(const LogStructuredStore&) = delete;
  LogStructuredStore& operator=(const LogStructuredStore&) = delete;

  // All or nothing: NoSpace takes nothing and the store goes on; any other error, and every one of
  // a retired store, is sticky. Blocks while the ring is full.
  Status Append(ByteView bytes);
  // `size` is 1..buffer_bytes. Blocks while the ring is full.
  Status Reserve(uint32_t size, Reservation* reservation);
  Status Flush();
  Status Sync();

  // Up to `length` bytes from `address`; fewer only at size(). Reads what is not in the file yet
  // from the ring.
  Status Read(Address address, size_t length, char* destination, size_t* read);

  // Number of sealed buffers whose write has completed since the last call. Never waits.
  size_t PollCompletions() { return pipeline_.TakeCompletions(); }

  // Hint: [offset, offset + length) will be appended; gives it real blocks at once.
  Status Allocate(Address offset, uint64_t length) {
    return closed() ? Status::Closed("allocate in " + path() + " after close")
                    : space_.Reserve(offset, length);
  }

  // Hint: whether this stream should go past the page cache, where the options allow it. Counts
  // when the first buffer is sealed; by default it does.
  void PreferDirectIo(bool prefer) { tail_.PreferDirectIo(prefer); }

  // Brings the file itself to exactly the bytes appended so far, as others would find them after a
  // Close; not durable. Appending may go on.
  Status Settle();
  // Idempotent; later calls return the first result. On error the ring file stays, so that recovery
  // finds the bytes that did not reach the file.
  Status Close();

  // Bytes appended (after Reserve: flushed), in the ring or in the file.
  Address size() const;
  // Everything below has been written to the file.
  Address hi_stable() const { return pipeline_.hi_stable(); }
  // Everything below is on the device.
  Address durable() const { return pipeline_.durable(); }
  // Also true of a forked child's copy.
  bool closed() const {
    return closed_.load(std::memory_order_acquire) || fork_guard_.InForkedChild();
  }
  const FileIdentity& identity() const { return identity_; }
  const std::string& path() const { return device_->name(); }
  const std::string& ring_path() const { return memory_->path(); }

  // What a successor may expect of itself.
  Pace pace() const;
  // A successor takes the appends. Nothing is prepared any more for bytes to come, and those that
  // come after all (RocksDB empties its own buffer last) are on the device when Append returns: the
  // successor has perhaps settled its predecessors already, and its first bytes must not overtake
  // them. From any thread, before this store is settled on behalf of the successor.
  void Retire();

  // On the maintenance thread.
  void Tick() override;

 private:
  friend class Reservation;
  enum class Style { kUndecided, kDense, kReserved };

  LogStructuredStore(std::unique_ptr<Device> device, std::unique_ptr<RingMemory> memory,
                     RingGrant grant, const FileIdentity& identity, const StoreOptions& options,
                     Address start);
  Status AdoptTail(Address size);
  void Start();
  Status ChooseStyle(Style style);
  // Blocks up to `end`, or NoSpace; any other error is sticky.
  Status EnsureSpace(Address end);
  Status CopyIn(const char* data, size_t size);
  // Hands a sealed buffer to the pipeline if the caller got the duty.
  void HandOver(FlushDuty duty, const FlushBufferRing::Cursor& cursor);
  void AdvanceCommitted(const SealedBuffer& buffer);
  Address AppendedEnd() const;
  void RequestHot();
  void TurnHot();
  void RequestFrontier(Address end);
  void PrefaultFrom(uint32_t ahead);
  void AfterSync();
  void FinishClose();

  const ForkGuard fork_guard_;
  const StoreOptions options_;
  const FileIdentity identity_;
  const std::unique_ptr<Device> device_;
  const RingGrant grant_;
  const std::unique_ptr<RingMemory> memory_;
  FlushBufferRing ring_;
  Space space_;
  FlushPipeline pipeline_;
  TailWriter tail_;

  std::atomic<Style> style_{Style::kUndecided};
  // End of what Append has accepted, also while it is still copying.
  std::atomic<Address> accepted_end_{0};
  std::atomic<bool> hot_requested_{false};
  std::atomic<bool> retired_{false};
  std::atomic<Address> last_sync_end_{0};
  std::atomic<bool> closed_{false};

  // Reserve only: buffers whose writers have left, until all before them have too.
  std::mutex left_mutex_;
  std::condition_variable left_changed_;
  std::map<uint64_t, Address> left_;  // sequence -> padded end
  uint64_t next_left_ = 0;

  std::mutex close_mutex_;
  bool close_done_ = false;
  Status close_status_;
};

}  // namespace lss
