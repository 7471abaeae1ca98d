// A module of another version: touches nothing.
#include "lss/device/remote_module.h"

extern "C" uint32_t bloom_lfs_nbd_open(uint32_t version, const char* /*uri*/,
                                       const lss::RemoteOptions* /*options*/,
                                       lss::Device** /*device*/, lss::Status* /*status*/) {
  return version + 1;
}
