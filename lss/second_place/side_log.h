// START HERE. The side log: one durable log for many streams of a process, on another disk or
// machine than their files. A sync is durable here when it cannot be there, or sooner than there.
//
//   Append ─► open group (memory) ─► sealed by a Sync ─► one durable write ─► Sync returns
//
// - Appends are latch-free: a group is a FlushBuffer. All that comes while a write is under way
// goes
//   into the next group, and becomes durable by one write: so syncs combine by themselves.
// - Several writes may be under way at once, for places that are far away. A Sync returns when its
//   group and all before it are durable: a reader finds no hole before what was acknowledged.
// - After a failed write nothing more is acknowledged: what is on the device is not known.
//
// Thread safety: every method from any thread; the destructor after all others.
#pragma once

#include <array>
#include <atomic>
#include <memory>

#include "lss/base/mutex.h"
#include "lss/base/page_buffer.h"
#include "lss/base/status.h"
#include "lss/ring/flush_buffer.h"
#include "lss/ring/ring_format.h"
#include "lss/second_place/group_format.h"
#include "lss/second_place/side_space.h"

namespace lss {

// Where a record is.
struct SideMark {
  uint64_t group = 0;  // of its last piece: what Sync is to be told
  uint64_t lsn = 0;    // of the group that its first piece is in: what the head may not pass
};

class SideLog {
 public:
  static constexpr uint64_t kGroups = 4;
  // Writes under way at once: one where the device is near, so that more syncs combine.
  static constexpr uint64_t kMaxInFlight = kGroups - 1;

  // Begins a new epoch behind `end`, where the last reader of the space found the log to end:
  // whoever wrote before is not believed any more from there on. Durable when it returns.
  // `in_flight`: 1..kMaxInFlight.
  static Status Open(std::unique_ptr<SideSpace> space, uint64_t end, uint64_t in_flight,
                     std::unique_ptr<SideLog>* result);
  SideLog(const SideLog&) = delete;
  SideLog& operator=(const SideLog&) = delete;

  // Copies the record, in pieces if it is long. NoSpace: the log is full of what is still wanted;
  // pieces of the record may be in it. Waits while all groups are being written.
  Status Append(const SideRecord& record, SideMark* mark);
  // Everything appended into this group and those before it is durable when it returns OK.
  Status Sync(uint64_t group);

  // Nothing before `lsn` is wanted any more; its room is used again. Waits for the device now and
  // then.
  Status SetHead(uint64_t lsn);

  // Writes to the device so far, and bytes of them.
  uint64_t writes() const { return writes_.load(std::memory_order_relaxed); }  // Relaxed: a figure
  uint64_t written_bytes() const {
    return written_bytes_.load(std::memory_order_relaxed);  // Relaxed: a figure
  }

 private:
  SideLog(std::unique_ptr<SideSpace> space, uint64_t in_flight);
  Status Init(uint64_t end);
  Status AppendPiece(const SideRecord& piece, SideMark* mark);
  // Until another group than `group` is open.
  Status AwaitNext(uint64_t group);
  // Opens the one behind the open one, if that is sealed and there is a buffer and room for it.
  void TryOpenNext() LSS_REQUIRES(mutex_);
  // REQUIRES: the duty to flush it
  void Write(uint64_t group);

  // Of one of the last groups.
  uint64_t LsnOf(uint64_t group) const {
    return lsns_[group % kGroups].load(std::memory_order_relaxed);  // Relaxed: P50 has published it
  }
  FlushBuffer& BufferOf(uint64_t group) { return buffers_[group % kGroups]; }
  static uint32_t GenerationOf(uint64_t group) { return GenerationOfLap(group / kGroups); }

  const std::unique_ptr<SideSpace> space_;
  const uint64_t log_bytes_;
  const uint64_t group_bytes_;
  const uint64_t in_flight_;
  uint64_t epoch_ = 0;
  std::array<PageBuffer, kGroups> memory_;
  std::array<GuardedWord, kGroups> bases_;
  std::array<FlushBuffer, kGroups> buffers_;
  // Where each of the last groups begins: stored before its group is open (P50).
  std::array<std::atomic<uint64_t>, kGroups> lsns_ = {};
  std::atomic<uint64_t> open_{0};  // the group that takes records; P50

  mutable Mutex mutex_;
  CondVar changed_;
  uint64_t durable_ LSS_GUARDED_BY(mutex_) = 0;  // groups below are
  std::array<bool, kGroups> written_ LSS_GUARDED_BY(mutex_) = {};
  bool full_ LSS_GUARDED_BY(mutex_) = false;       // there is no room for the next group
  uint64_t kept_head_ LSS_GUARDED_BY(mutex_) = 0;  // as on the device: what is before may go
  Status failed_ LSS_GUARDED_BY(mutex_);

  Mutex head_mutex_;  // held while the head is written
  std::atomic<uint64_t> writes_{0};
  std::atomic<uint64_t> written_bytes_{0};
};

}  // namespace lss
