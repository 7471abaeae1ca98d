#include "lss/second_place/side_space.h"

#include <cerrno>
#include <random>
#include <utility>
#include <vector>

#include "lss/base/check.h"
#include "lss/base/page_buffer.h"
#include "lss/ring/ring_options.h"

namespace lss {
namespace {

// The slots take turns.
Address SuperblockSlotOf(uint64_t sequence) { return sequence % 2 * kPageBytes; }

uint64_t DrawWriter() {
  std::random_device random;
  return static_cast<uint64_t>(random()) << 32 | random();
}

}  // namespace

SideSpace::SideSpace(std::unique_ptr<Device> device, const SideSuperblock& superblock)
    : device_(std::move(device)),
      place_(superblock.place),
      log_bytes_(superblock.log_bytes),
      group_bytes_(superblock.group_bytes),
      superblock_(superblock),
      labels_(device_.get(), kSuperblocksBytes + log_bytes_) {}

Status SideSpace::Format(std::unique_ptr<Device> device, const Uuid& place, uint64_t bytes,
                         uint64_t group_bytes, std::unique_ptr<SideSpace>* result) {
  SideSuperblock superblock;
  superblock.place = place;
  superblock.group_bytes = group_bytes;
  superblock.log_bytes = bytes < kSuperblocksBytes || group_bytes == 0
                             ? 0
                             : (bytes - kSuperblocksBytes) / group_bytes * group_bytes;
  if (!IsSideLogSize(superblock.log_bytes, group_bytes)) {
    return Status::InvalidArgument("a side log on " + device->name() +
                                   " needs room for two groups of whole pages, at most " +
                                   std::to_string(kMaxBufferBytes) + " bytes each");
  }
  std::unique_ptr<SideSpace> space(new SideSpace(std::move(device), superblock));
  if (Status status = space->MakeEmpty(); !status.ok()) {
    return status;
  }
  // Both slots, so that no older one is left.
  for (int slot = 0; slot < 2; ++slot, ++superblock.sequence) {
    if (Status status = space->WriteSlot(superblock); !status.ok()) {
      return status;
    }
  }
  if (Status status = space->device_->Publish(); !status.ok()) {
    return status;
  }
  space->device_->BypassCache(true);  // not before it has its name
  *result = std::move(space);
  return Status::Ok();
}

Status SideSpace::MakeEmpty() {
  const uint64_t end = kSuperblocksBytes + log_bytes_ + kLabelsBytes;
  Status status = device_->SetSize(0);
  if (status.ok()) {
    status = device_->Allocate(0, end);
  }
  if (status.ok()) {
    status = device_->SetSize(end);
  }
  if (status.ok()) {
    status = labels_.Format();
  }
  return status.ok() ? device_->Sync() : status;
}

Status SideSpace::Open(std::unique_ptr<Device> device, std::unique_ptr<SideSpace>* result) {
  SideSuperblock newest;
  bool found = false;
  if (Status status = ReadSuperblocks(device.get(), &newest, &found); !status.ok()) {
    return status;
  }
  if (!found) {
    return Status::Corruption(device->name() +
                              " holds no side log at offset 0; name the place that "
                              "was used, or an empty one");
  }
  device->BypassCache(true);
  std::unique_ptr<SideSpace> space(new SideSpace(std::move(device), newest));
  if (Status status = space->labels_.Read(); !status.ok()) {
    return status;
  }
  *result = std::move(space);
  return Status::Ok();
}

Status SideSpace::ReadSuperblocks(Device* device, SideSuperblock* newest, bool* found) {
  PageBuffer pages(kSuperblocksBytes);
  if (pages.size() < kSuperblocksBytes) {
    return Status::FromErrno("read", device->name(), 0, ENOMEM);
  }
  size_t read = 0;
  if (Status status = device->Read(0, kSuperblocksBytes, pages.data(), &read); !status.ok()) {
    return status;
  }
  *found = false;
  for (size_t at = 0; at + kPageBytes <= read; at += kPageBytes) {
    SideSuperblock each;
    if (DecodeSuperblock(pages.data() + at, &each) && (!*found || each.IsNewerThan(*newest))) {
      *newest = each;
      *found = true;
    }
  }
  return Status::Ok();
}

Status SideSpace::TakeOver() {
  SideSuperblock superblock = this->superblock();
  ++superblock.epoch;
  superblock.writer = DrawWriter();
  // First the slot that does not count. Then the other: one that was taken over and does not know
  // it yet can still destroy one of them.
  for (int slot = 0; slot < 2; ++slot) {
    ++superblock.sequence;
    if (Status status = WriteSlot(superblock); !status.ok()) {
      return status;
    }
  }
  return Status::Ok();
}

Status SideSpace::CheckOwner() const {
  const SideSuperblock own = superblock();
  SideSuperblock newest;
  bool found = false;
  if (Status status = ReadSuperblocks(device_.get(), &newest, &found); !status.ok()) {
    return status;
  }
  if (found && (newest.epoch != own.epoch || newest.writer != own.writer)) {
    return Status::Closed(name() + " was taken over by another writer (epoch " +
                          std::to_string(newest.epoch) + ", own " + std::to_string(own.epoch) +
                          "); a second place is for one process at a time");
  }
  return Status::Ok();
}

Status SideSpace::WriteSuperblock(SideSuperblock superblock) {
  if (Status status = CheckOwner(); !status.ok()) {
    return status;
  }
  const SideSuperblock own = this->superblock();
  superblock.epoch = own.epoch;
  superblock.writer = own.writer;
  superblock.sequence = own.sequence + 1;
  return WriteSlot(superblock);
}

Status SideSpace::WriteSlot(const SideSuperblock& superblock) {
  PageBuffer page(kPageBytes);
  if (page.size() < kPageBytes) {
    return Status::FromErrno("write", name(), 0, ENOMEM);
  }
  EncodeSuperblock(superblock, page.data());
  Status status = device_->Write({{page.data(), kPageBytes}}, SuperblockSlotOf(superblock.sequence),
                                 WriteKind::kDurable);
  if (status.ok()) {
    const MutexLock lock(&mutex_);
    superblock_ = superblock;
  }
  return status;
}

Status SideSpace::WriteGroup(uint64_t lsn, const char* pages, uint64_t length) {
  LSS_CHECK(lsn % log_bytes_ + length <= log_bytes_, "a group is not cut by the log's end");
  return device_->Write({{const_cast<char*>(pages), length}}, PlaceOf(lsn), WriteKind::kDurable);
}

Status SideSpace::WriteZeros(uint64_t lsn, const char* zeros, uint64_t length) {
  Status status =
      device_->Write({{const_cast<char*>(zeros), length}}, PlaceOf(lsn), WriteKind::kPlain);
  return status.ok() ? device_->Sync() : status;
}

Status SideSpace::Read(uint64_t lsn, size_t length, char* pages) const {
  size_t read = 0;
  Status status = device_->Read(PlaceOf(lsn), length, pages, &read);
  if (status.ok() && read != length) {
    return Status::Corruption(name() + " ends before offset " +
                              std::to_string(PlaceOf(lsn) + length) + "; it has been cut");
  }
  return status;
}

}  // namespace lss
