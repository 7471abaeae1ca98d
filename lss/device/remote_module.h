// What the shared object that speaks to servers and the code that loads it agree on.
#pragma once

#include <cstdint>

#include "lss/base/status.h"
#include "lss/device/device.h"
#include "lss/device/remote_device.h"

namespace lss {

inline constexpr char kRemoteModuleFile[] = "libbloom_lfs_nbd.so";
inline constexpr char kRemoteModuleEntry[] = "bloom_lfs_nbd_open";

// To be raised with every change to Device, Status, RemoteOptions or to what they contain: both
// sides compile them in.
inline constexpr uint32_t kRemoteModuleVersion = 2;

// The module's only function. Returns its own version; if that is not `version` it has touched
// nothing else. Otherwise *status says whether *device is open; it is the caller's, to be deleted.
// First argument and result stay what they are in all versions. Any thread.
using RemoteModuleEntry = uint32_t (*)(uint32_t version, const char* uri,
                                       const RemoteOptions* options, Device** device,
                                       Status* status);

}  // namespace lss
