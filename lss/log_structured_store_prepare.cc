// What a store needs before it can be one: its device, who that is, and a ring.
#include <sys/statvfs.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "lss/base/posix_file.h"
#include "lss/log_structured_store.h"

namespace lss {
namespace {

// A quarter of what is left: the rest is for the data. Everything where nobody can tell.
uint64_t RoomForARing(const std::string& directory) {
  struct statvfs fs = {};
  return statvfs(directory.c_str(), &fs) == 0 ? fs.f_bavail * fs.f_frsize / 4 : UINT64_MAX;
}

// Where every byte goes through the page cache, a ring that stays in the processor's cache is the
// fastest (values of 64 KiB on btrfs: 0.93 of stock with 6 MiB, 1.05 with this).
constexpr uint64_t kCopyOnWriteRingBytes = RingFileBytes(64 << 10, 8);

// The bytes of the partial last page come into the ring before any base address tells of them.
// Not by the read itself: a page fault that a system call takes holds up the process's other
// threads (ring/thaw_gate.h).
Status AdoptPartialPage(Device* device, Address size, char* buffer) {
  const uint64_t partial = size - PageFloor(size);
  alignas(kPageBytes) char page[kPageBytes];
  size_t adopted = 0;
  Status status = device->Read(PageFloor(size), partial, page, &adopted);
  if (status.ok() && adopted != partial) {
    status = Status::Corruption(device->name() + " shrank while it was opened");
  }
  if (status.ok()) {
    std::memcpy(buffer, page, partial);
  }
  return status;
}

}  // namespace

Status LogStructuredStore::Prepare(Runtime* runtime, const std::string& path,
                                   const StoreOptions& options, OpenMode mode, Parts* parts) {
  if (Status status = options.Validate(); !status.ok()) {
    return status;
  }
  // Before the file: a truncating open must not cost the old bytes where there can be no ring.
  RingGrant grant;
  if (Status status = RingGrant::Take(runtime->ring_budget(), options.ring_budget_bytes,
                                      options.buffer_bytes, options.buffer_count, &grant);
      !status.ok()) {
    return status;
  }
  std::unique_ptr<FileDevice> device;
  if (Status status = FileDevice::Open(path, mode, options.warn, &device); !status.ok()) {
    return status;
  }
  StoreOptions granted = options;
  if (granted.ring_directory.empty()) {
    granted.ring_directory = DirectoryOf(path) + "/" + kRingDirectoryName;
  }
  return Prepare(runtime, std::move(device), granted, std::move(grant), parts);
}

Status LogStructuredStore::Prepare(Runtime* runtime, std::unique_ptr<Device> device,
                                   const StoreOptions& options, Parts* parts) {
  if (Status status = options.Validate(); !status.ok()) {
    return status;
  }
  if (options.ring_directory.empty()) {
    return Status::InvalidArgument("a stream on a device of its own (" + device->name() +
                                   ") needs a ring_directory");
  }
  RingGrant grant;
  if (Status status = RingGrant::Take(runtime->ring_budget(), options.ring_budget_bytes,
                                      options.buffer_bytes, options.buffer_count, &grant);
      !status.ok()) {
    return status;
  }
  return Prepare(runtime, std::move(device), options, std::move(grant), parts);
}

// A small ring is better than none: nearly full file systems, quotas and limits of memory or of
// file sizes have room for one.
Status LogStructuredStore::MakeRing(const RingTarget& target, Parts* parts) {
  const uint64_t room = RoomForARing(DirectoryOf(parts->options.ring_directory));
  while (RingFileBytes(parts->grant.buffer_bytes(), parts->grant.buffer_count()) > room) {
    if (!parts->grant.Halve()) {
      return Status::NoSpace("a ring in " + parts->options.ring_directory +
                             " would take too much of what is left; free space there");
    }
  }
  for (;;) {
    parts->options.buffer_bytes = parts->grant.buffer_bytes();
    parts->options.buffer_count = parts->grant.buffer_count();
    Status status =
        RingMemory::Create(parts->options.ring_directory, target, parts->options, &parts->memory);
    const bool too_large =
        status.code() == Status::Code::kNoSpace || status.error_number() == ENOMEM;
    if (status.ok() || !too_large || !parts->grant.Halve()) {
      return status;
    }
  }
}

Status LogStructuredStore::Prepare(Runtime* runtime, std::unique_ptr<Device> device,
                                   const StoreOptions& options, RingGrant grant, Parts* parts) {
  parts->runtime = runtime;
  parts->options = options;
  if (!options.allocate_ahead) {
    parts->options.frontier_bytes = 0;  // zeros ahead take blocks, too
  }
  parts->grant = std::move(grant);
  if (!device->overwrites_in_place()) {
    parts->options.AdaptToCopyOnWrite();
    parts->grant.ShrinkTo(kCopyOnWriteRingBytes);
  }
  if (Status status = device->Identify(&parts->id, &parts->size); !status.ok()) {
    return status;
  }
  RingTarget target(parts->id);
  if (parts->id.kind == StreamId::Kind::kFile) {
    target.name = BaseNameOf(device->name());
  }
  target.size = parts->size;
  Status status = MakeRing(target, parts);
  if (!status.ok()) {
    return status;
  }
  status = AdoptPartialPage(device.get(), parts->size, parts->memory->buffer(0));
  if (status.ok()) {
    status = device->Publish();
  }
  if (!status.ok()) {
    parts->memory->Remove();
    return status;
  }
  parts->device = std::move(device);
  return Status::Ok();
}

}  // namespace lss
