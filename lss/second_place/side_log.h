// START HERE. The side log: one durable log for many streams of a process, on another disk or
// machine than their files. A sync is durable here when it cannot be there, or sooner than there.
//
//   Append ─► open group (memory) ─► sealed by a Sync ─► one durable write ─► Sync returns
//
// - Appends are latch-free: a group is a FlushBuffer. All that comes while a write is under way
//   goes into the next group, and becomes durable by one write: so syncs combine by themselves.
// - Several writes may be under way at once, for places that are far away. A Sync returns when its
//   group and all before it are durable: a reader finds no hole before what was acknowledged.
// - The log knows which records are still wanted, and uses the room of all before them again.
// - After a failed write nothing more is acknowledged: what is on the device is not known. A log
//   that is opened anew goes on.
//
// Thread safety: every method from any thread, appends to one stream by one at a time; the
// destructor after all others.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <memory>

#include "lss/base/mutex.h"
#include "lss/base/page_buffer.h"
#include "lss/base/status.h"
#include "lss/ring/flush_buffer.h"
#include "lss/ring/ring_format.h"
#include "lss/second_place/group_format.h"
#include "lss/second_place/live_records.h"
#include "lss/second_place/side_space.h"

namespace lss {

class SideLog {
 public:
  static constexpr uint64_t kGroups = 16;
  // Writes under way at once: one where the device is near, so that more syncs combine.
  static constexpr uint64_t kMaxInFlight = kGroups - 1;

  // Goes on behind `end`, where ScanSideLog has found the log to end since the space was taken
  // over, with the records of `wanted` among those that it found. Durable when it returns.
  // `in_flight`: 1..kMaxInFlight. NoSpace: it was opened too often without its records being
  // brought to their files.
  static Status Open(std::unique_ptr<SideSpace> space, uint64_t end, LiveRecords wanted,
                     uint64_t in_flight, std::unique_ptr<SideLog>* result);
  SideLog(const SideLog&) = delete;
  SideLog& operator=(const SideLog&) = delete;

  // For who may still append to the stream when it is forgotten: around all its appends.
  void Enter(const StreamName& stream) {
    const MutexLock lock(&live_mutex_);
    live_.Enter(stream);
  }
  void Leave(const StreamName& stream) {
    const MutexLock lock(&live_mutex_);
    live_.Leave(stream);
  }
  // Copies the record, in pieces if it is long, and says what Sync is to be told. It is wanted from
  // now on, unless its stream was forgotten. NoSpace: the log is full of what is still wanted;
  // pieces of the record may be in it. Waits while all groups are being written.
  Status Append(const SideRecord& record, uint64_t* group);
  // Everything appended into this group and those before it is durable when it returns OK.
  Status Sync(uint64_t group);

  // Called instead of making room for new records, which waits for the device, when it is time for
  // that: by somebody who must not wait. He has another thread call MakeRoom(). Set before anything
  // is appended; called under no lock of the log's.
  void WhenRoomIsDue(std::function<void()> due) { room_is_due_ = std::move(due); }
  void MakeRoom() { MoveHead(false); }
  // The stream's file is durable below `end`: its records up to there are not wanted any more.
  // Without WhenRoomIsDue, this and Forget wait for the device now and then.
  void FileDurable(const StreamName& stream, Address end);
  // Nothing of the stream is wanted any more, nor what an appender that has entered brings later.
  void Forget(const StreamName& stream);
  void ForgetDatabase(const Uuid& database);
  bool Wants(const Uuid& database) const {
    const MutexLock lock(&live_mutex_);
    return live_.HasDatabase(database);
  }
  // Tells the device what is not wanted any more, so that whoever opens the log does not find it.
  void NoteHead() { MoveHead(true); }
  // Whose record keeps the most room from being used again. False: no record is wanted.
  bool Oldest(StreamName* stream) const;

  // Whether a write has failed: nothing more is acknowledged.
  bool has_failed() const {
    const MutexLock lock(&mutex_);
    return !failed_.ok();
  }
  // Everything before it is on the device.
  uint64_t durable_lsn() const;
  // Bytes of the log from the oldest record that is wanted to its end.
  uint64_t RoomUsed() const;
  // Writes zeros where a new log will write for the first time, up to `ahead` bytes before it gets
  // there: written blocks are written again at half the price. For a thread that has time; one at a
  // time.
  Status PrepareAhead(uint64_t ahead);

  // Fails the log if another writer has taken it over. Waits for the device.
  void CheckOwner();

  const SideSpace& space() const { return *space_; }
  SideLabels* labels() { return space_->labels(); }
  // Writes to the device so far, and bytes of them.
  uint64_t writes() const { return writes_.load(std::memory_order_relaxed); }  // Relaxed: a figure
  uint64_t written_bytes() const {
    return written_bytes_.load(std::memory_order_relaxed);  // Relaxed: a figure
  }

 private:
  struct Slot {
    PageBuffer memory;
    GuardedWord base;
    FlushBuffer buffer;
    // Which group it holds, and where that begins: stored before it is reopened (P1). They stand
    // while somebody is in the buffer or has the duty to flush it.
    std::atomic<uint64_t> group{0};
    std::atomic<uint64_t> lsn{0};
    bool written = false;  // guarded by mutex_
    CondVar synced;        // its group has become durable, or may be sealed
  };

  SideLog(std::unique_ptr<SideSpace> space, uint64_t in_flight);
  Status Init(uint64_t end, LiveRecords wanted);
  Status BeginEpoch(uint64_t end);
  Status AppendPiece(const SideRecord& piece, uint64_t* group);
  // Until another group than `group` is open.
  Status AwaitNext(uint64_t group);
  // Opens the one behind the open one, if that is sealed and there is a buffer and room for it.
  void TryOpenNext() LSS_REQUIRES(mutex_);
  // REQUIRES: the duty to flush it
  void Write(Slot* slot);
  // Counts what is durable, and wakes who waits for it.
  void AdvanceDurable() LSS_REQUIRES(mutex_);
  void FailAll(const Status& status) LSS_REQUIRES(mutex_);
  // Makes room, or has it made, if it is time.
  void FindRoom();
  // Tells the device how far nothing is wanted any more, if that makes enough room; any, if `all`.
  void MoveHead(bool all);
  bool WantedHead(bool all, uint64_t* head) const;

  Slot& SlotOf(uint64_t group) { return slots_[group % kGroups]; }
  static uint32_t GenerationOf(uint64_t group) { return GenerationOfLap(group / kGroups); }

  const std::unique_ptr<SideSpace> space_;
  const uint64_t log_bytes_;
  const uint64_t group_bytes_;
  const uint64_t in_flight_;
  uint64_t epoch_ = 0;
  uint64_t writer_ = 0;
  std::function<void()> room_is_due_;  // may be null
  std::array<Slot, kGroups> slots_;
  std::atomic<uint64_t> open_{0};  // the group that takes records, 0 before the first; P50

  mutable Mutex mutex_;
  CondVar opened_;                                   // another group, or a failure
  uint64_t durable_ LSS_GUARDED_BY(mutex_) = 1;      // groups below are
  uint64_t durable_lsn_ LSS_GUARDED_BY(mutex_) = 0;  // behind the last of them
  uint64_t next_lsn_ LSS_GUARDED_BY(mutex_) = 0;     // of the first group
  bool full_ LSS_GUARDED_BY(mutex_) = false;         // there is no room for the next group
  uint64_t prepared_ LSS_GUARDED_BY(mutex_) = 0;     // LSN before which all blocks were written
  uint64_t preparing_ LSS_GUARDED_BY(mutex_) = 0;    // LSN behind those that zeros are written to
  uint64_t kept_head_ LSS_GUARDED_BY(mutex_) = 0;    // as on the device: what is before may go
  Status failed_ LSS_GUARDED_BY(mutex_);

  // Taken by an appender while it is in a buffer, so before that can become durable.
  mutable Mutex live_mutex_;
  LiveRecords live_ LSS_GUARDED_BY(live_mutex_);

  PageBuffer zeros_;  // of PrepareAhead
  Mutex head_mutex_;  // held while the head is written; before mutex_ and live_mutex_
  std::atomic<uint64_t> writes_{0};
  std::atomic<uint64_t> written_bytes_{0};
};

}  // namespace lss
