// Devices on other machines, by their address. What speaks to a server is a shared object of its
// own, libbloom_lfs_nbd.so: only a process that opens such an address loads it, and with it libnbd
// and a TLS library.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "lss/base/status.h"
#include "lss/base/warning_sink.h"
#include "lss/device/device.h"

namespace lss {

struct RemoteOptions {
  // How long a call goes on trying to get a new connection after it has lost one. Where that has
  // failed before for so long, a later call tries once. Counted in milliseconds, as all below.
  uint32_t reconnect_for_ms = 10000;
  // How long one attempt to connect may take, from the first packet to the export's size.
  // Resolving the host's name is not counted: the resolver has limits of its own.
  uint32_t connect_timeout_ms = 10000;
  // TCP: a server whose machine acknowledges nothing for so long is gone. A server that is there
  // and does not answer is a stalled disk, and is waited for, unless more lies before it than the
  // sockets hold: to TCP that is the same as a dead one.
  uint32_t dead_peer_ms = 10000;
  // For those who can do without the server: a read, or a write or sync, that is not answered in
  // that time ends the connection, and reconnect_for_ms begins. 0: it is waited for.
  uint32_t read_within_ms = 0;
  uint32_t write_within_ms = 0;
  // A line when the connection is lost, and one when there is one again. Called under the device's
  // lock: it must not use the device. May be null.
  WarningSink warn;
  // The shared object. Empty: libbloom_lfs_nbd.so beside the library that this code is a part of,
  // or else wherever the dynamic linker finds it.
  std::string module_file;
};

// Whether `place` is an address and not a path: nbd://, nbds:// or nbd+unix://.
bool IsRemotePlace(const std::string& place);

// Opens the export at `uri`:
//   nbd://host[:port]/export
//   nbds://host[:port]/export?tls-certificates=DIR   TLS; DIR/ca-cert.pem says who is trusted
//   nbd+unix:///export?socket=PATH
// The device is as lss/nbd/nbd_device.h says. Errors, each with its remedy:
//   kInvalidArgument   the address is malformed; no such export; the export is too small
//   kNotSupported      the module or libnbd is not installed, or of another version; the server
//                      cannot make writes durable
//   kPermissionDenied  read-only; certificate or TLS refused
//   kIoError           no server there
// Any thread.
Status OpenRemoteDevice(const std::string& uri, const RemoteOptions& options,
                        std::unique_ptr<Device>* device);

// What to do when the dynamic linker says `error` about `file`. Never null; static text. Pure.
const char* RemedyOfModuleError(const std::string& error, const std::string& file);

}  // namespace lss
