// Everything that writes the part of the stream that is not a sealed buffer: sync, the idle
// write-out, the last bytes at close; and the step from cold to hot.
//
// Cold: as every stream begins. The file has exactly the bytes written so far, through the page
//   cache, just as stock RocksDB would leave it; no zeros behind the tail, so a crash needs no
//   trimming. Most short-lived streams never leave this phase.
// Hot: the ring's header is durable, the file may have zeros behind the tail, writes are direct and
//   whole pages, and a sync overwrites written blocks.
//
// Thread safety: Sync, Settle, MakeHot, PreferDirectIo from any thread; Tick by the maintenance
// thread; Finish by one, after the last append.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

#include "lss/device/device.h"
#include "lss/ring/flush_buffer_ring.h"
#include "lss/ring/ring_memory.h"
#include "lss/stream/flush_pipeline.h"
#include "lss/stream/space.h"
#include "lss/stream/stream_options.h"
#include "lss/stream/tail_age.h"

namespace lss {

class TailWriter {
 public:
  // Nothing is owned; everything must outlive the writer.
  TailWriter(Device* device, RingMemory* memory, FlushBufferRing* ring, FlushPipeline* pipeline,
             Space* space, const StreamOptions& options, StreamFigures* figures);

  // Everything committed before the call is on the device when it returns OK.
  Status Sync();
  // To be called each TailAge::LookEveryMs: writes out a tail before it gets older than that
  // allows, keeps the ring's next pages writable. Of a stream that gets no bytes it writes nothing,
  // neither to the file nor to the ring.
  void Tick();
  // What MakeHot will do about the page cache, if the options allow direct I/O. Relaxed: a hint.
  void PreferDirectIo(bool prefer) { prefer_direct_io_.store(prefer, std::memory_order_relaxed); }
  // Cold to hot. Blocks for the ring header's sync. Idempotent. Where that cannot be done now, the
  // stream stays cold and its sealed buffers go through the page cache; call again. True if it has
  // become hot by this call.
  bool MakeHot();
  // Lets a cold stream's sealed buffers be written, through the page cache.
  void WriteThroughCache();
  // Writes the sealed buffers through the page cache, on the calling thread, if the stream is cold.
  // A hot one that outruns the device is made cold first; then it returns true, and SyncCut is due.
  bool Relieve(FlushPipeline::Relief relief);
  // What a stream that was made cold had behind its tail is gone from the device when it returns.
  void SyncCut();
  // For a stream whose ring has failed: [at, at + bytes.size) and everything before it is in the
  // file, and nothing else, when it returns OK. The ring is removed then. NoSpace is not sticky.
  // One appender; beside it Tick.
  Status WriteThrough(Address at, ByteView bytes);
  // Brings the file to exactly what is committed now; the stream may go on.
  Status Settle();
  // The same, but zeros may lie behind it.
  Status WriteOut();
  // Writes what is left, gives the file its exact size. REQUIRES: no append any more.
  Status Finish();
  // Makes what Finish has left durable.
  Status SyncFinished();

  // Whether zeros may lie behind the tail on the device. REQUIRES: Finish has returned.
  bool leaves_zeros() const { return leaves_zeros_; }

  // P13: whoever sees it finds the ring's header on the device.
  bool hot() const { return hot_.load(std::memory_order_acquire); }
  // How many syncs have been asked for; a stream that syncs is worth a frontier. Relaxed: a count.
  uint64_t sync_count() const { return sync_count_.load(std::memory_order_relaxed); }

 private:
  // WriteOut, unless somebody is writing anyway.
  void TryWriteOut();
  FlushPipeline::SyncStep WriteForSync();
  FlushPipeline::SyncStep WriteForHotSync(Address end);
  // Cuts the file to `end`, or to where the flusher has got beyond it.
  Status CutToTail(Address end);
  Status SettlePredecessors(bool durable);
  // WriteThrough under exclusive access.
  Status WriteThroughAlone(Address at, ByteView bytes);
  // Writes what Gather has put together for `begin`, unless the ring has lost some of it. `fresh`:
  // bytes of it that had not been written before.
  Status WritePieces(Address begin, uint64_t fresh, WriteKind kind);
  Status WriteTimed(Address begin, WriteKind kind);
  void CountPieces(uint64_t fresh);
  bool LostPieces() const;
  Status FailForLostBytes();
  Status WriteBehind(Address at, ByteView bytes);
  Status LeaveRing();
  Status PrepareHeat();
  void StayCold();
  Status CoolDown();
  Status WriteExact(Address end) { return WriteBytes(pipeline_->hi_stable(), end); }
  Status WriteBytes(Address begin, Address end);
  Status WritePages(Address end, WriteKind kind);
  // Whether a write up to `end` may be padded; where not, it will go through the page cache.
  bool WholePages(Address end);
  // Memory for [begin, end) in pieces_; the last page from a private copy, padded if `whole_page`.
  Status Collect(Address begin, Address end, bool whole_page);
  // The bytes up to `end`, as the stream's heat wants them.
  Status WriteTail(Address end);
  // Makes the stream's error of what will not pass.
  Status FinalUnlessPassing(const Status& status);
  Status RewriteUnsynced();
  Status RewriteFrom(Address at, Address end);
  Address committed() const {
    return memory_->words()->committed.load(std::memory_order_acquire);  // P7
  }

  Device* const device_;
  RingMemory* const memory_;
  FlushBufferRing* const ring_;
  FlushPipeline* const pipeline_;
  Space* const space_;
  StreamFigures* const figures_;
  const bool may_use_direct_io_;
  std::atomic<bool> prefer_direct_io_{true};
  const bool exact_size_when_synced_;
  const std::function<Status(bool)> settle_predecessors_;
  // Copy of the partial last page: the original may be appended to while the device reads.
  struct alignas(kPageBytes) Page {
    char bytes[kPageBytes];
  };
  std::unique_ptr<Page> tail_page_;
  std::vector<iovec> pieces_;
  enum class Settled { kNot, kWritten, kDurable };
  std::atomic<Settled> predecessors_{Settled::kNot};
  std::atomic<bool> hot_{false};
  std::atomic<uint64_t> sync_count_{0};
  TailAge age_;  // of Tick
  // Under exclusive access:
  bool finished_ = false;
  bool left_ring_ = false;
  bool leaves_zeros_ = false;  // there may be zeros behind the tail on the device
  uint64_t times_cooled_ = 0;
  // Guards no field but the time: makes one of those who make the stream hot wait for the other.
  Mutex heating_;
  int64_t heat_again_ns_ LSS_GUARDED_BY(heating_) = 0;
};

}  // namespace lss
