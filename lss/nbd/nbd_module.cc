// START HERE. The one function that libbloom_lfs_nbd.so shows: lss/device/remote_module.h says what
// it promises.
#include <memory>

#include "lss/device/remote_module.h"
#include "lss/nbd/nbd_device.h"

extern "C" [[gnu::visibility("default")]] uint32_t bloom_lfs_nbd_open(
    uint32_t version, const char* uri, const lss::RemoteOptions* options, lss::Device** device,
    lss::Status* status) {
  if (version == lss::kRemoteModuleVersion) {
    std::unique_ptr<lss::Device> opened;
    *status = lss::NbdDevice::Open(uri, *options, &opened);
    *device = opened.release();
  }
  return lss::kRemoteModuleVersion;
}
