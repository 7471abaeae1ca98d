// START HERE. A log-structured store over one device: a latch-free ring of buffers that outlives
// the process, flushed to the device behind the writers' backs, durable on request.
//
// There are two kinds, which differ in how bytes are appended, and share what is below:
// - DenseStream (dense_stream.h): one appender, a stream without gaps; address = file offset.
// - RecordLog (record_log.h): many threads reserve disjoint ranges; records do not cross buffers.
//
// What returns when, of what both have:
// - Flush   everything before the call survives the process, synced or not.
// - Sync    everything before the call is on the device. Concurrent callers share one.
// - Close   the file has exactly its bytes, as visible and as durable as after close(2).
//
// Thread safety: Close once, after the last append; everything else from any thread, beside appends
// too.
// After a failed write or sync every call returns that error, and nothing is acknowledged any more.
// What fails for want of room, memory or descriptors fails alone: the bytes are in the ring, and
// the next call tries again. A forked child's copy is closed: its calls return Closed and leave the
// parent's file and ring alone.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "lss/base/fork_guard.h"
#include "lss/base/mutex.h"
#include "lss/base/stream_id.h"
#include "lss/device/file_device.h"
#include "lss/options.h"
#include "lss/ring/flush_buffer_ring.h"
#include "lss/ring/ring_budget.h"
#include "lss/ring/ring_memory.h"
#include "lss/runtime/runtime.h"
#include "lss/stream/flush_pipeline.h"
#include "lss/stream/space.h"
#include "lss/stream/tail_writer.h"

namespace lss {

class LogStructuredStore : public Ticking, public std::enable_shared_from_this<LogStructuredStore> {
 public:
  using OpenMode = lss::OpenMode;

  ~LogStructuredStore() override;
  LogStructuredStore(const LogStructuredStore&) = delete;
  LogStructuredStore& operator=(const LogStructuredStore&) = delete;

  virtual Status Flush() = 0;
  Status Sync();

  // Up to `length` bytes from `address`; fewer only at size(). Reads what is not in the file yet
  // from the ring.
  Status Read(Address address, size_t length, char* destination, size_t* read) const;

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
  // The same, but zeros may lie behind it: costs nothing if the bytes are there already, and no
  // zeroed space ahead.
  Status WriteOut();
  // Idempotent; later calls return the first result. On error the ring file stays, so that recovery
  // finds the bytes that did not reach the file.
  Status Close();

  // The stream's file is about to be deleted: from here on a killed process leaves nothing that
  // must not be lost. Appending may go on. False: the file is there still, and so is the promise.
  void NoteDeletion(bool coming);

  // Bytes appended (of a RecordLog: flushed), in the ring or in the file.
  Address size() const {
    return memory_->words()->committed.load(std::memory_order_acquire);  // P7
  }
  // Everything below has been written to the file.
  Address hi_stable() const { return pipeline_.hi_stable(); }
  // Whether a write or a sync has failed for good.
  bool failed() const { return pipeline_.failed(); }
  // Everything below is on the device.
  Address durable() const { return pipeline_.durable(); }
  // Also true of a forked child's copy.
  bool closed() const {
    return closed_.load(std::memory_order_acquire) || fork_guard_.InForkedChild();  // P17
  }
  const StreamId& id() const { return id_; }
  const std::string& path() const { return device_->name(); }
  const std::string& ring_path() const { return memory_->path(); }
  const FileIdentity& ring_identity() const { return memory_->identity(); }

  // Notes in the ring that this process has made a file with this number beside the stream's.
  void NoteSibling(uint64_t number) { memory_->NoteSibling(number); }

  // What a successor may expect of itself.
  Pace pace() const;

  // On the ticker's thread.
  bool Tick() override;

 protected:
  // What a store is made of before it is one.
  struct Parts {
    Runtime* runtime = nullptr;
    std::unique_ptr<Device> device;
    std::unique_ptr<RingMemory> memory;
    RingGrant grant;
    StreamId id;
    StoreOptions options;
    Address size = 0;  // what the device holds already
  };
  // Identifies the device and gives it a ring. The bytes of a partial last page come into the ring.
  static Status Prepare(Runtime* runtime, std::unique_ptr<Device> device,
                        const StoreOptions& options, Parts* parts);
  static Status Prepare(Runtime* runtime, const std::string& path, const StoreOptions& options,
                        OpenMode mode, Parts* parts);
  static Status Prepare(Runtime* runtime, std::unique_ptr<Device> device,
                        const StoreOptions& options, RingGrant grant, Parts* parts);
  static Status MakeRing(const RingTarget& target, Parts* parts);
  // `start`: where appending goes on, page aligned.
  LogStructuredStore(Parts parts, Address start);
  // Lets the threads know of the store. `shared_from_this` works from here on.
  void Start();

  // Behind every growth of `committed`, and a full fence: the ticker shall know that there is
  // something to do. Costs a load, but for the first growth after a rest.
  void NoteGrowth() {
    // Relaxed: P19's fence stands with the caller.
    if (!ticking_.load(std::memory_order_relaxed)) {
      StartTicking();
    }
  }

  // What the stream before this one was like. REQUIRES: before the first byte.
  void TakeOver(const Pace& predecessor);
  // No byte at or above it can be in the file or on its way there.
  virtual Address AppendedEnd() const = 0;
  // Blocks up to `end`, or NoSpace.
  Status EnsureSpace(Address end) {
    return end <= space_.allocated() ? Status::Ok() : MakeSpace(end);
  }
  // Brings [begin, begin + bytes.size) and what the file lacks before it to the file itself: for a
  // ring that has failed.
  Status WriteThrough(Address begin, ByteView bytes) { return tail_.WriteThrough(begin, bytes); }
  // An error, which becomes sticky, if the ring's file has stopped to take what is stored.
  Status CheckRing();
  // Lets the stream stay cold, or become so: where the device does not overwrite in place, and, if
  // it is written in order, for a burst that outruns the device. REQUIRES: one appender, buffers
  // that are sealed when they are full. Before Start.
  void MayStayCold();
  // Prepares nothing any more for bytes to come. Relaxed: P8's fences stand with their callers.
  void StopPreparing();
  bool retired() const { return retired_.load(std::memory_order_relaxed); }
  const ForkGuard& fork_guard() const { return fork_guard_; }
  RingMemory* memory() { return memory_.get(); }
  const RingMemory* memory() const { return memory_.get(); }
  FlushBufferRing* ring() { return &ring_; }
  const FlushBufferRing* ring() const { return &ring_; }
  FlushPipeline* pipeline() { return &pipeline_; }
  StreamFigures* figures() { return figures_.get(); }

 private:
  class Source;

  Status MakeSpace(Address end);
  // Turns hot, soon, if the policy says so.
  void Consider(HeatEvent event);
  void RequestHot();
  void TurnHot();
  void RequestFrontier(Address end);
  void PrefaultFrom(uint32_t ahead);
  void AfterSync();
  void FinishClose();
  void StartTicking();
  // One after the other, for the stores of a directory.
  void Enqueue(std::function<void()> job);

  const ForkGuard fork_guard_;
  const StoreOptions options_;
  const StreamId id_;
  Maintenance* const maintenance_;
  Ticker* const ticker_;
  const std::unique_ptr<Device> device_;
  const RingGrant grant_;
  const std::unique_ptr<RingMemory> memory_;
  const std::shared_ptr<StreamFigures> figures_;
  FlushBufferRing ring_;
  Space space_;
  FlushPipeline pipeline_;
  TailWriter tail_;

  // Whether the ticker will look at us.
  std::atomic<bool> ticking_{false};  // P19
  // Relaxed: decides who asks, nothing hangs on when.
  std::atomic<bool> hot_requested_{false};
  bool stays_cold_ = false;           // set before Start
  std::atomic<bool> retired_{false};  // P8
  // Written before the first byte, read by those who have seen that there is one (P15) or whom its
  // writer has asked.
  Pace predecessor_;
  // Relaxed: a measure of the stream's steps, which vouches for nothing.
  std::atomic<Address> last_sync_end_{0};
  std::atomic<bool> closed_{false};  // P17

  Mutex close_mutex_;
  bool close_done_ LSS_GUARDED_BY(close_mutex_) = false;
  Status close_status_ LSS_GUARDED_BY(close_mutex_);
};

}  // namespace lss
