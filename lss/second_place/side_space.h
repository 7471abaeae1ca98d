// A side log's place on its device: two superblocks, then the circular log.
//
// Thread safety: groups from any thread, each range by one at a time; superblocks by one thread.
#pragma once

#include <memory>

#include "lss/base/status.h"
#include "lss/device/device.h"
#include "lss/second_place/side_superblock.h"

namespace lss {

class SideSpace {
 public:
  // Makes an empty log in `bytes` of the device, with the name `place`. What was there is gone.
  static Status Format(std::unique_ptr<Device> device, const Uuid& place, uint64_t bytes,
                       uint64_t group_bytes, std::unique_ptr<SideSpace>* result);
  // Corruption: there is no side log on the device.
  static Status Open(std::unique_ptr<Device> device, std::unique_ptr<SideSpace>* result);

  const SideSuperblock& superblock() const { return superblock_; }
  const std::string& name() const { return device_->name(); }
  // Durable when it returns. The sequence is its own; after an error the one before still counts.
  Status WriteSuperblock(SideSuperblock superblock);

  // Durable when it returns; says nothing of others. REQUIRES: pages in memory and in length, and
  // no end of the log in between.
  Status WriteGroup(uint64_t lsn, const char* pages, uint64_t length);
  // As it is on the device. REQUIRES: as above
  Status Read(uint64_t lsn, size_t length, char* pages) const;

 private:
  explicit SideSpace(std::unique_ptr<Device> device) : device_(std::move(device)) {}
  Address PlaceOf(uint64_t lsn) const { return kSuperblocksBytes + lsn % superblock_.log_bytes; }

  const std::unique_ptr<Device> device_;
  SideSuperblock superblock_;
};

}  // namespace lss
