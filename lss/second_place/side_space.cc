#include "lss/second_place/side_space.h"

#include <cerrno>
#include <utility>
#include <vector>

#include "lss/base/check.h"
#include "lss/base/page_buffer.h"

namespace lss {
namespace {

// The slots take turns.
Address SuperblockSlotOf(uint64_t sequence) { return sequence % 2 * kPageBytes; }

}  // namespace

Status SideSpace::Format(std::unique_ptr<Device> device, const Uuid& place, uint64_t bytes,
                         uint64_t group_bytes, std::unique_ptr<SideSpace>* result) {
  SideSuperblock superblock;
  superblock.place = place;
  superblock.group_bytes = group_bytes;
  superblock.log_bytes = bytes < kSuperblocksBytes || group_bytes == 0
                             ? 0
                             : (bytes - kSuperblocksBytes) / group_bytes * group_bytes;
  if (superblock.log_bytes < 2 * group_bytes || !IsPageAligned(group_bytes)) {
    return Status::InvalidArgument("a side log on " + device->name() +
                                   " needs room for two groups of whole pages");
  }
  const Address end = kSuperblocksBytes + superblock.log_bytes;
  std::unique_ptr<SideSpace> space(new SideSpace(std::move(device)));
  Status status = space->device_->SetSize(0);
  if (status.ok()) {
    status = space->device_->Allocate(0, end);
  }
  if (status.ok()) {
    status = space->device_->SetSize(end);
  }
  if (status.ok()) {
    status = space->device_->Sync();
  }
  // Both slots, so that no older one is left.
  for (int slot = 0; slot < 2 && status.ok(); ++slot) {
    status = space->WriteSuperblock(superblock);
  }
  if (status.ok()) {
    *result = std::move(space);
  }
  return status;
}

Status SideSpace::Open(std::unique_ptr<Device> device, std::unique_ptr<SideSpace>* result) {
  PageBuffer pages(kSuperblocksBytes);
  if (pages.size() < kSuperblocksBytes) {
    return Status::FromErrno("read", device->name(), 0, ENOMEM);
  }
  size_t read = 0;
  if (Status status = device->Read(0, kSuperblocksBytes, pages.data(), &read); !status.ok()) {
    return status;
  }
  std::unique_ptr<SideSpace> space(new SideSpace(std::move(device)));
  bool found = false;
  for (size_t at = 0; at + kPageBytes <= read; at += kPageBytes) {
    SideSuperblock each;
    if (DecodeSuperblock(pages.data() + at, &each) &&
        (!found || each.sequence > space->superblock_.sequence)) {
      space->superblock_ = each;
      found = true;
    }
  }
  if (!found) {
    return Status::Corruption(space->name() +
                              " holds no side log at offset 0; name the place that "
                              "was used, or an empty one");
  }
  *result = std::move(space);
  return Status::Ok();
}

Status SideSpace::WriteSuperblock(SideSuperblock superblock) {
  superblock.sequence = superblock_.sequence + 1;
  PageBuffer page(kPageBytes);
  if (page.size() < kPageBytes) {
    return Status::FromErrno("write", name(), 0, ENOMEM);
  }
  EncodeSuperblock(superblock, page.data());
  Status status =
      device_->Write({{page.data(), kPageBytes}}, SuperblockSlotOf(superblock.sequence), WriteKind::kDurable);
  if (status.ok()) {
    superblock_ = superblock;
  }
  return status;
}

Status SideSpace::WriteGroup(uint64_t lsn, const char* pages, uint64_t length) {
  LSS_CHECK(lsn % superblock_.log_bytes + length <= superblock_.log_bytes,
            "a group is not cut by the log's end");
  return device_->Write({{const_cast<char*>(pages), length}}, PlaceOf(lsn), WriteKind::kDurable);
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
