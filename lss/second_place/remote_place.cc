#include "lss/second_place/remote_place.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "lss/base/page_buffer.h"
#include "lss/device/remote_device.h"

namespace lss {
namespace {

constexpr uint64_t kRemoteGroupBytes = 128 << 10;

Status OpenExport(const std::string& uri, const WarningSink& warn,
                  std::unique_ptr<Device>* device) {
  RemoteOptions options;
  options.warn = warn;
  return OpenRemoteDevice(uri, options, device);
}

// Whether nothing was ever written where superblocks are.
Status IsEmpty(Device* device, bool* empty) {
  PageBuffer pages(kSuperblocksBytes);
  if (pages.size() < kSuperblocksBytes) {
    return Status::FromErrno("read", device->name(), 0, ENOMEM);
  }
  size_t read = 0;
  Status status = device->Read(0, kSuperblocksBytes, pages.data(), &read);
  *empty = std::all_of(pages.data(), pages.data() + read, [](char byte) { return byte == 0; });
  return status;
}

Status FormatExport(std::unique_ptr<Device> device, uint64_t bytes,
                    std::unique_ptr<SideSpace>* space) {
  bool empty = false;
  StreamId id;
  uint64_t size = 0;
  Status status = IsEmpty(device.get(), &empty);
  if (status.ok()) {
    status = device->Identify(&id, &size);
  }
  if (!status.ok()) {
    return status;
  }
  if (!empty) {
    return Status::InvalidArgument(
        device->name() +
        " holds something that is no side log; name another export, or write "
        "zeros to its first " +
        std::to_string(kSuperblocksBytes) + " bytes if it may be overwritten");
  }
  const uint64_t room = size - std::min(size, kLabelsBytes);
  return SideSpace::Format(std::move(device), DrawUuid(), std::min(bytes, room), kRemoteGroupBytes,
                           space);
}

}  // namespace

Status OpenRemoteSpace(const std::string& uri, uint64_t bytes, const WarningSink& warn,
                       const PlaceCaller& caller, std::unique_ptr<SideSpace>* space) {
  std::unique_ptr<SideSpace> opened;
  Status status = ReadRemoteSpace(uri, warn, &opened);
  caller.NoteStep();
  if (status.code() == Status::Code::kCorruption) {
    std::unique_ptr<Device> device;
    status = OpenExport(uri, warn, &device);
    if (status.ok()) {
      status = FormatExport(std::move(device), bytes, &opened);
    }
  }
  if (status.ok()) {
    status = caller.CheckWaits(uri);
  }
  if (status.ok()) {
    status = opened->TakeOver();
  }
  if (status.ok()) {
    *space = std::move(opened);
  }
  return status;
}

Status ReadRemoteSpace(const std::string& uri, const WarningSink& warn,
                       std::unique_ptr<SideSpace>* space) {
  std::unique_ptr<Device> device;
  Status status = OpenExport(uri, warn, &device);
  return status.ok() ? SideSpace::Open(std::move(device), space) : status;
}

}  // namespace lss
