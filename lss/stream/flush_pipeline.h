// The write side of one store: sealed buffers, writes under way, watermarks, the sticky error.
//
// An error is sticky if bytes may have been lost by it. One whose cause may pass
// (Status::IsPassing) is a setback: the ring still has the bytes, their buffers wait to be written
// again, and only who needs them in the file just now is told.
//
// Two parties write to the file: the flusher (whole sealed buffers, asynchronously) and an
// exclusive holder (the partial tail, for a sync, an idle write-out or a close). They never
// overlap, so two images of one page are never in flight together.
//
// Thread safety: every method from any thread unless it says otherwise.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "lss/base/mutex.h"
#include "lss/device/async_writer.h"
#include "lss/figures/stream_figures.h"
#include "lss/ring/flush_buffer_ring.h"
#include "lss/ring/ring_memory.h"
#include "lss/runtime/flusher.h"
#include "lss/stream/cache_policy.h"
#include "lss/stream/flush_behavior.h"
#include "lss/stream/space.h"
#include "lss/stream/stability.h"

namespace lss {

class FlushPipeline final : public FlushClient, public StableWaiter {
 public:
  // All pointers must outlive the pipeline. `flusher` may be null in tests that call NextWrites and
  // OnWriteDone themselves.
  FlushPipeline(Device* device, OwnerWords* words, Space* space, Flusher* flusher,
                const RingOptions& ring, StreamFigures* figures);

  // Who keeps the pipeline and the ring's memory alive while the flusher works for it.
  void SetOwner(std::weak_ptr<void> owner) { owner_ = std::move(owner); }

  // Whose pages are written; without it none is ever taken for lost, and nobody waits for a thaw.
  // Must outlive the pipeline.
  void WatchMemory(const RingMemory* memory) { memory_ = memory; }

  // --- sealed buffers ---

  // Takes a buffer from whoever got the duty to flush it.
  void OnSealed(const SealedBuffer& buffer);
  // How sealed buffers may be written.
  enum class Gate {
    kShut,  // not at all yet
    kCold,  // one after the other and through the page cache, the file's size following the data
    kHot,   // as the write mode says, inside the file's size
  };
  // Called when buffers want to be written and are not hot yet, once until the answer comes:
  // AllowWrites or Refuse. Until then the flusher gets nothing.
  void SetWriteGate(std::function<void()> on_first_write) {
    on_first_write_ = std::move(on_first_write);
  }
  // REQUIRES for kHot: exclusive access was held when the store became hot.
  void AllowWrites(Gate gate);
  // The gate stays as it is: the answer to who asked, unless it is shut; then false.
  [[nodiscard]] bool KeepGate();
  // Nothing may be written at the moment, and why. Who waits is told, the next one asks anew.
  void Refuse(const Status& why);
  // Whether buffers are being written, in either way.
  bool writes_allowed() const;
  // Waits for back-pressure to end, and urges the flusher meanwhile. A setback ends the wait with
  // its error; nothing is lost, and the next call tries again.
  Status AwaitStable(Address address) override {
    return hi_stable() >= address ? Status::Ok() : AwaitWrites(address);
  }

  // --- the page cache instead of waiting ---

  enum class Relief {
    kNone,
    kCold,     // nothing may be written yet: the stream is about to turn hot, or settles others
    kOutruns,  // the stream outruns the device
  };
  // Whom AwaitStable asks, without a lock, to write what waits through the page cache, and in the
  // second case everything that will come. Without it, AwaitStable waits.
  // Before the first append.
  void SetRelief(std::function<void(Relief)> relief) { relief_ = std::move(relief); }
  // What the stream's predecessor has learnt. Before the first byte; only where relief is set.
  void Follow(const CacheRecord& predecessor);
  // Whether the stream goes through the page cache because it outran the device. For its policies.
  bool through_cache() const;
  bool SyncsInSmallSteps(Address accepted) const;
  CacheRecord cache_record(Address accepted) const;

  // --- exclusive access ---

  // The right to write the tail and to sync. Waits until no write is under way and nobody else
  // holds it; waiters go before new batches of the flusher.
  class Exclusive {
   public:
    explicit Exclusive(FlushPipeline* pipeline);
    // Does not wait for long: invalid if the file is busy.
    static Exclusive Try(FlushPipeline* pipeline);
    ~Exclusive();
    Exclusive(Exclusive&& other) noexcept : pipeline_(other.pipeline_) {
      other.pipeline_ = nullptr;
    }
    Exclusive(const Exclusive&) = delete;
    Exclusive& operator=(const Exclusive&) = delete;
    bool valid() const { return pipeline_ != nullptr; }

   private:
    struct Adopt {};
    Exclusive(FlushPipeline* pipeline, Adopt /*adopt*/) : pipeline_(pipeline) {}
    FlushPipeline* pipeline_;
  };
  // One sync: everything below `end` has been written, durably or with the device still to be
  // synced.
  struct SyncStep {
    Status status;
    Address end = 0;
    bool sync_device = false;
    bool alone = false;  // nobody may write while the device syncs
  };
  // Coalesced syncs: runs `write` under exclusive access, then syncs the device if it says so,
  // until durable() reaches `target`. Of many callers one does that, and whoever it covered returns
  // with it. An error becomes sticky, unless it is one that passes; after a sticky one nobody is
  // told OK, covered or not.
  Status SyncTo(Address target, const std::function<SyncStep()>& write);

  // --- for the exclusive holder only ---

  // [begin, end) has been written, durably or not.
  void OnTailWritten(Address begin, Address end, WriteKind kind);
  // Syncs the device, after what has been written, without taking anything for durable.
  Status SyncWritten();
  // Whether the file may lack bytes between durable() and hi_stable(), of which no sync will tell;
  // they must be written again before the next one. Who takes the doubt does that, or puts it back.
  [[nodiscard]] bool TakeDoubt();
  void PutDoubtBack();
  // The end of the sealed buffers that wait to be written; at least hi_stable().
  Address SealedEnd() const;
  // The stream goes through the page cache from now on, exactly.
  void OnThroughCache();
  // It goes past it, as a hot one.
  void OnPastCache();
  // Whether plain writes have completed since the last full sync: then a durable write of the tail
  // alone proves nothing about them.
  bool plain_writes_unsynced() const;

  // --- state ---

  // Makes `error` the answer to everything from now on. The first one stays.
  void Fail(const Status& error);
  // Before an error is told: where it is a full file system, what tells of it needs some blocks. By
  // itself for what comes through here.
  void LeaveRoomToTell(const Status& error) const;
  bool failed() const { return failed_.load(std::memory_order_acquire); }  // P6
  Status error() const;
  Address hi_stable() const { return stability_.hi_stable(); }
  Address durable() const { return stability_.durable(); }
  // Nothing at or above it has been written: the watermark, or the end of the last island.
  Address WrittenEnd() const;
  // Writes of sealed buffers that have completed since the last call.
  size_t TakeCompletions() { return completions_.exchange(0, std::memory_order_relaxed); }
  // Islands behind the watermark, for tests and statistics.
  size_t island_count() const;

  // --- FlushClient, on the flusher's thread ---
  void NextWrites(std::vector<WriteOp>* ops) override;
  void OnWriteDone(const WriteOp& op, const Status& written) override;
  bool InOrder() const override;
  Device* device() override { return device_; }

 private:
  Status AwaitWrites(Address address);
  // Before anything is stored into the ring's header; without mutex_.
  void AwaitThaw() const;
  bool BusyLocked() const LSS_REQUIRES(mutex_) { return exclusive_ || in_flight_ > 0; }
  // Whether the ring still had what was written; an error if not.
  Status CheckKept(const WriteOp& op) const;
  bool WantsFlushLocked() const LSS_REQUIRES(mutex_);
  Relief ReliefLocked() const LSS_REQUIRES(mutex_);
  void DropWrittenLocked() LSS_REQUIRES(mutex_);
  void SelectLocked(std::vector<WriteOp>* ops) LSS_REQUIRES(mutex_);
  // Begins to measure; the end of what is written.
  Address BeginBatchLocked(const std::vector<WriteOp>& ops) LSS_REQUIRES(mutex_);
  // For a sync that others keep from running. Adds to `waited_ns`.
  void AwaitTurnLocked(int64_t* waited_ns) LSS_REQUIRES(mutex_);
  // One sync of our own. Drops the lock while it writes.
  Status RunSyncLocked(const std::function<SyncStep()>& write) LSS_REQUIRES(mutex_);
  void CountWrittenLocked(const WriteOp& op) LSS_REQUIRES(mutex_);
  void CountSyncLocked(int64_t began_ns, int64_t waited_ns, bool led) LSS_REQUIRES(mutex_);
  // Drops the lock while the device syncs: others may write, unless exclusive access is held.
  // REQUIRES: syncing_ is ours.
  Status SyncDeviceLocked() LSS_REQUIRES(mutex_);
  void EndSyncLocked(const Status& status, Address end) LSS_REQUIRES(mutex_);
  void FailLocked(const Status& error) LSS_REQUIRES(mutex_);
  void SetBackLocked(const Status& why) LSS_REQUIRES(mutex_);
  void TakeBackLocked() LSS_REQUIRES(mutex_);
  void ReleaseExclusive();
  void Kick(bool wanted);
  void RequestFlush();

  Device* const device_;
  Space* const space_;
  Flusher* const flusher_;
  const std::unique_ptr<FlushBehavior> behavior_;
  const std::unique_ptr<FlushBehavior> cold_behavior_;
  const uint64_t ring_bytes_;
  StreamFigures* const figures_;
  // Set before the first append, not changed afterwards.
  std::weak_ptr<void> owner_;
  const RingMemory* memory_ = nullptr;
  std::function<void()> on_first_write_;
  std::function<void(Relief)> relief_;

  mutable Mutex mutex_;
  CondVar changed_;
  // Ordered by sequence; may have gaps while writers linger.
  std::deque<SealedBuffer> sealed_ LSS_GUARDED_BY(mutex_);
  uint64_t next_sequence_ LSS_GUARDED_BY(mutex_) = 0;
  size_t in_flight_ LSS_GUARDED_BY(mutex_) = 0;
  bool exclusive_ LSS_GUARDED_BY(mutex_) = false;
  size_t exclusive_waiters_ LSS_GUARDED_BY(mutex_) = 0;
  size_t pressure_ LSS_GUARDED_BY(mutex_) = 0;  // threads in AwaitStable
  Gate gate_ LSS_GUARDED_BY(mutex_) = Gate::kShut;
  bool gate_asked_ LSS_GUARDED_BY(mutex_) = false;
  // Somebody is about to sync the device, or does.
  bool syncing_ LSS_GUARDED_BY(mutex_) = false;
  // A sync has failed for want of something: the kernel may have dropped what was written since
  // durable(), and will not say so again.
  bool unsynced_in_doubt_ LSS_GUARDED_BY(mutex_) = false;
  // Handed to the flusher, and perhaps not in the file yet; by sequence.
  std::deque<SealedBuffer> taken_ LSS_GUARDED_BY(mutex_);
  // A write has been set back: when the others of its batch are done, all is taken back.
  bool taking_back_ LSS_GUARDED_BY(mutex_) = false;
  // Nothing goes down until somebody needs it, or something has been written.
  bool resting_ LSS_GUARDED_BY(mutex_) = false;
  uint64_t setbacks_ LSS_GUARDED_BY(mutex_) = 0;
  Status setback_ LSS_GUARDED_BY(mutex_);  // the last one
  Address last_sync_end_ LSS_GUARDED_BY(mutex_) = 0;
  // Plain writes that have completed, and how many of them the last full sync found.
  uint64_t plain_writes_ LSS_GUARDED_BY(mutex_) = 0;
  uint64_t plain_writes_synced_ LSS_GUARDED_BY(mutex_) = 0;
  CachePolicy cache_ LSS_GUARDED_BY(mutex_);
  BatchLimit batch_limit_ LSS_GUARDED_BY(mutex_);
  // Of the batch under way.
  int64_t batch_began_ns_ LSS_GUARDED_BY(mutex_) = 0;
  uint64_t batch_bytes_ LSS_GUARDED_BY(mutex_) = 0;
  // Changed under mutex_; its watermarks may be read without, see Stability.
  Stability stability_;
  Status error_ LSS_GUARDED_BY(mutex_);
  std::atomic<bool> failed_{false};
  // Relaxed everywhere: a count, which vouches for nothing.
  std::atomic<size_t> completions_{0};
};

}  // namespace lss
