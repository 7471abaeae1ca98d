// The store for records that many threads write: a log of disjoint ranges, each inside one buffer.
//
// The contract, for those who build on it:
// - Addresses are the device's offsets and only grow. Each Reserve gives a range of its own; ranges
//   of one thread grow, those of two threads interleave in any order.
// - A record never crosses a buffer's end, so a record is at most buffer_bytes long and is found
//   whole in one piece of memory or of the device. What is left of a buffer, and of the page behind
//   the last record of a flushed one, is zeros. So are abandoned reservations: readers must tell a
//   record from zeros.
// - A reserved range belongs to its holder until Write or its end. A holder that dawdles holds up
//   Flush and Sync of everybody, and in time the ring; the bytes of others are safe all the same.
// - A record is readable, and survives the process, when Flush has returned after its Write; it is
//   on the device when Sync has.
// - Killed, the log is found as it was flushed, up to a page. After a power cut it is found as it
//   was synced, and perhaps more behind that. Its reader needs a checksum to tell records from
//   zeros.
// - An existing log is not continued: opening begins a new one.
// - hi_stable() is how far the log is written without a hole, in either write mode. In
//   TailLocalizedWrites records behind it may be on the device already.
// - After an error nothing more is acknowledged. NoSpace from Reserve is no such error.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "lss/log_structured_store.h"
#include "lss/reservation.h"

namespace lss {

// Thread safety: Close once, after the last Reserve and when no reservation is held; everything
// else from any thread.
class RecordLog final : public LogStructuredStore {
 public:
  // Empties an existing file. `runtime` must outlive the log.
  static Status Open(Runtime* runtime, const std::string& path, const StoreOptions& options,
                     std::shared_ptr<RecordLog>* result);
  // On a device of the caller's, which must be empty. Needs options.ring_directory.
  static Status Open(Runtime* runtime, std::unique_ptr<Device> device, const StoreOptions& options,
                     std::shared_ptr<RecordLog>* result);

  // `size` is 1..buffer_bytes. NoSpace: nothing was taken. Blocks while the ring is full.
  Status Reserve(uint32_t size, Reservation* reservation);
  // Largest record: options.buffer_bytes, or less where memory or disk had no more for the ring.
  uint32_t buffer_bytes() const { return ring()->buffer_bytes(); }
  // Seals the current buffer and waits for the holders of reservations made before the call.
  Status Flush() override;

 protected:
  Address AppendedEnd() const override;

 private:
  friend class Reservation;

  explicit RecordLog(Parts parts) : LogStructuredStore(std::move(parts), 0) {}
  static Status Finish(Parts parts, std::shared_ptr<RecordLog>* result);
  // Hands a sealed buffer on if the caller got the duty.
  void HandOver(FlushDuty duty, const FlushBufferRing::Cursor& cursor);
  void AdvanceCommitted(const SealedBuffer& buffer);

  // Buffers whose writers have left, until all before them have too.
  Mutex left_mutex_;
  CondVar left_changed_;
  std::map<uint64_t, Address> left_ LSS_GUARDED_BY(left_mutex_);  // sequence -> padded end
  uint64_t next_left_ LSS_GUARDED_BY(left_mutex_) = 0;
};

}  // namespace lss
