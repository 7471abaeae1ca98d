// A side log's place on its device: two superblocks, the circular log, the names of databases.
//
// One writer: whoever opens the log for writing takes it over, by a larger epoch. One that was
// taken over learns of it when it writes a superblock. Until then its groups may still arrive, if
// it is on another machine: a device that cannot fence cannot keep them out.
//
// Thread safety: Read and WriteGroup from any thread, each range by one at a time; superblocks by
// one thread at a time.
#pragma once

#include <memory>

#include "lss/base/mutex.h"
#include "lss/base/status.h"
#include "lss/device/device.h"
#include "lss/second_place/side_labels.h"
#include "lss/second_place/side_superblock.h"

namespace lss {

class SideSpace {
 public:
  // Makes an empty log in `bytes` of the device, with the name `place`; the names behind it take
  // kLabelsBytes more. What was there is gone.
  static Status Format(std::unique_ptr<Device> device, const Uuid& place, uint64_t bytes,
                       uint64_t group_bytes, std::unique_ptr<SideSpace>* result);
  // Corruption: there is no side log on the device.
  static Status Open(std::unique_ptr<Device> device, std::unique_ptr<SideSpace>* result);

  const std::string& name() const { return device_->name(); }
  const Uuid& place() const { return place_; }
  uint64_t log_bytes() const { return log_bytes_; }
  uint64_t group_bytes() const { return group_bytes_; }
  SideSuperblock superblock() const {
    const MutexLock lock(&mutex_);
    return superblock_;
  }

  // Of the databases whose records the log has.
  SideLabels* labels() { return &labels_; }
  const SideLabels* labels() const { return &labels_; }

  // Makes this the only writer: from now on whoever wrote before cannot write a superblock.
  Status TakeOver();
  // Closed: another writer has taken over. Other errors say nothing. REQUIRES: as below
  Status CheckOwner() const;
  // Durable when it returns. Sequence, epoch and writer are its own. After an error the one before
  // still counts. Closed: another writer has taken over. REQUIRES: TakeOver has returned OK
  Status WriteSuperblock(SideSuperblock superblock);

  // Durable when it returns; says nothing of others. REQUIRES: pages in memory and in length, and
  // no end of the log in between.
  Status WriteGroup(uint64_t lsn, const char* pages, uint64_t length);
  // Durable when it returns: `length` bytes of zeros that the caller has. REQUIRES: as above
  Status WriteZeros(uint64_t lsn, const char* zeros, uint64_t length);
  // As it is on the device. REQUIRES: as above
  Status Read(uint64_t lsn, size_t length, char* pages) const;

 private:
  SideSpace(std::unique_ptr<Device> device, const SideSuperblock& superblock);
  static Status ReadSuperblocks(Device* device, SideSuperblock* newest, bool* found);
  Status MakeEmpty();
  Status WriteSlot(const SideSuperblock& superblock);
  Address PlaceOf(uint64_t lsn) const { return kSuperblocksBytes + lsn % log_bytes_; }

  const std::unique_ptr<Device> device_;
  const Uuid place_;
  const uint64_t log_bytes_;
  const uint64_t group_bytes_;
  mutable Mutex mutex_;
  SideSuperblock superblock_ LSS_GUARDED_BY(mutex_);
  SideLabels labels_;
};

}  // namespace lss
