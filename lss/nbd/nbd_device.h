// An export of an NBD server as a device.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "lss/base/status.h"
#include "lss/device/device.h"
#include "lss/device/remote_device.h"
#include "lss/nbd/nbd_client.h"

namespace lss {

// The export's size is fixed, its bytes are what was last written there, and nobody else is kept
// from writing: a server cannot be told to refuse an older writer.
//
// Loss of the connection. A call under way is repeated on a new one, for RemoteOptions'
// reconnect_for_ms; then it fails with kIoError, and later calls try to connect again. A new server
// is taken for the same as long as the export has its size: what lies there must say itself whose
// it is. Writes that were completed plainly and not yet synced may have been lost with the server:
// then every further Sync of this device is an error. Durable writes are not concerned.
//
// Thread safety: as Device; calls of several threads are under way at once, over one connection.
class NbdDevice final : public Device {
 public:
  // Errors as OpenRemoteDevice says.
  static Status Open(const std::string& uri, const RemoteOptions& options,
                     std::unique_ptr<Device>* device);

  // The address as it was opened.
  const std::string& name() const override { return client_->uri().text; }
  // The id is made of the address: two ways to write it are two streams. The size is the export's.
  Status Identify(StreamId* id, uint64_t* size) override;

  // REQUIRES: offset and lengths are multiples of the server's least block (1 for most, never more
  // than 4096); otherwise kInvalidArgument. Beyond the export's end: kNoSpace, nothing is written.
  // A large write is several requests, in any order; after an error any of them may be there.
  Status Write(const std::vector<iovec>& pieces, Address offset, WriteKind kind) override;
  // Covers the writes of this device. Those of another device on the same export, only if the
  // server says that its connections share a cache (nbdinfo: can_multi_conn).
  Status Sync() override;
  // Within the export there is nothing to do: whether its blocks are there is the server's
  // business, and shows when they are written. Beyond: kNoSpace, as in SetSize.
  Status Allocate(Address offset, uint64_t length) override;
  // Changes neither size nor bytes: what lies behind `size` can still be read.
  Status SetSize(uint64_t size) override;
  uint64_t SizeLimit() const override { return client_->facts().size; }
  uint64_t FreeBytes() const override { return client_->facts().size; }
  // Over a connection of its own.
  Status OpenAside(std::unique_ptr<Device>* aside) override;
  Status Read(Address offset, size_t length, char* destination, size_t* read) override;
  Status ReadTogether(const std::vector<ReadOp>& reads) override;

 private:
  explicit NbdDevice(std::unique_ptr<NbdClient> client) : client_(std::move(client)) {}
  Status CheckRange(const char* operation, Address offset, uint64_t length) const;
  // Appends requests for [data, data + length), none larger than the server takes.
  void Split(const NbdCall& like, char* data, uint64_t length, Address offset,
             std::vector<NbdCall>* calls) const;
  Status WriteAndFlush(std::vector<NbdCall>* writes, Address offset);
  Status Flush(NbdBatch* batch);
  Status ReadAligned(Address offset, size_t length, char* destination);

  const std::unique_ptr<NbdClient> client_;
};

}  // namespace lss
