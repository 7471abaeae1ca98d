#include "lss/nbd/nbd_device.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <limits>
#include <utility>

#include "lss/base/types.h"
#include "lss/nbd/nbd_uri.h"

namespace lss {
namespace {

// FNV-1a, from a start of the caller's.
uint64_t HashOf(const std::string& text, uint64_t hash) {
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  }
  return hash;
}

uint64_t Floor(uint64_t value, uint64_t unit) { return value - value % unit; }

}  // namespace

Status NbdDevice::Open(const std::string& uri, const RemoteOptions& options,
                       std::unique_ptr<Device>* device) {
  NbdUri parsed;
  Status status = ParseNbdUri(uri, &parsed);
  std::unique_ptr<NbdClient> client;
  if (status.ok()) {
    status = NbdClient::Open(std::move(parsed), options, &client);
  }
  if (status.ok()) {
    device->reset(new NbdDevice(std::move(client)));
  }
  return status;
}

Status NbdDevice::OpenAside(std::unique_ptr<Device>* aside) {
  return Open(name(), client_->options(), aside);
}

Status NbdDevice::Identify(StreamId* id, uint64_t* size) {
  const std::string& address = client_->uri().for_libnbd;
  *id = StreamId::Named(
      {HashOf(address, 0xcbf29ce484222325ULL), HashOf(address, 0x9ae16a3b2f90404fULL)});
  *size = client_->facts().size;
  return Status::Ok();
}

Status NbdDevice::CheckRange(const char* operation, Address offset, uint64_t length) const {
  const uint64_t size = client_->facts().size;
  if (offset <= size && length <= size - offset) {
    return Status::Ok();
  }
  return Status::NoSpace(std::string(operation) + " " + name() + " at offset " +
                         std::to_string(offset) + ": " + std::to_string(length) +
                         " bytes do not fit into the export, which has " + std::to_string(size) +
                         "; make it larger and open it anew, or ask for less");
}

Status NbdDevice::Allocate(Address offset, uint64_t length) {
  return CheckRange("allocate", offset, length);
}

Status NbdDevice::SetSize(uint64_t size) { return CheckRange("set the size of", 0, size); }

void NbdDevice::Split(const NbdCall& like, char* data, uint64_t length, Address offset,
                      std::vector<NbdCall>* calls) const {
  while (length > 0) {
    NbdCall call = like;
    call.data = data;
    call.length = std::min(length, client_->facts().largest_request);
    call.offset = offset;
    data += call.length;
    offset += call.length;
    length -= call.length;
    calls->push_back(call);
  }
}

Status NbdDevice::Write(const std::vector<iovec>& pieces, Address offset, WriteKind kind) {
  const NbdExport& facts = client_->facts();
  uint64_t total = 0;
  bool aligned = offset % facts.alignment == 0;
  for (const iovec& piece : pieces) {
    total += piece.iov_len;
    aligned = aligned && piece.iov_len % facts.alignment == 0;
  }
  Status status = CheckRange("write", offset, total);
  if (status.ok() && !aligned) {
    status = Status::InvalidArgument("write " + name() + " at offset " + std::to_string(offset) +
                                     ": the server wants multiples of " +
                                     std::to_string(facts.alignment) + " bytes");
  }
  if (!status.ok() || total == 0) {
    return status;
  }
  NbdCall like;
  like.vouched = kind == WriteKind::kDurable || !facts.flush;
  like.fua = like.vouched && facts.fua;
  std::vector<NbdCall> calls;
  for (const iovec& piece : pieces) {
    Split(like, static_cast<char*>(piece.iov_base), piece.iov_len, offset, &calls);
    offset += piece.iov_len;
  }
  if (like.vouched && !like.fua) {
    return WriteAndFlush(&calls, calls.front().offset);
  }
  NbdBatch batch;
  return client_->Run(&calls, &batch);
}

// For servers without FUA. The flush says something of the writes only if they were answered by the
// same connection; if not, they are written again.
Status NbdDevice::WriteAndFlush(std::vector<NbdCall>* writes, Address offset) {
  const auto begun = std::chrono::steady_clock::now();
  const auto patience = std::chrono::milliseconds(client_->options().reconnect_for_ms);
  do {
    NbdBatch written;
    Status status = client_->Run(writes, &written);
    NbdBatch flushed;
    if (status.ok()) {
      status = Flush(&flushed);
    }
    if (!status.ok() || written.oldest_connection == flushed.newest_connection) {
      return status;
    }
  } while (std::chrono::steady_clock::now() - begun < patience);
  return Status::IoError("write " + name() + " at offset " + std::to_string(offset) +
                         ": the connection is lost again and again before the server has flushed; "
                         "see the server's log");
}

Status NbdDevice::Flush(NbdBatch* batch) {
  std::vector<NbdCall> calls(1);
  calls.front().kind = NbdRequest::Kind::kFlush;
  return client_->Run(&calls, batch);
}

Status NbdDevice::Sync() {
  if (!client_->facts().flush) {
    return Status::Ok();  // every write was durable
  }
  NbdBatch batch;
  Status status = Flush(&batch);
  if (status.ok() && client_->lost_writes()) {
    status = Status::IoError("sync " + name() +
                             ": the connection was lost behind writes that had not been synced, "
                             "and the server may have lost them; open the device anew and write "
                             "them again");
  }
  return status;
}

Status NbdDevice::Read(Address offset, size_t length, char* destination, size_t* read) {
  *read = 0;
  const NbdExport& facts = client_->facts();
  const size_t wanted = offset < facts.size
                            ? static_cast<size_t>(std::min<uint64_t>(length, facts.size - offset))
                            : 0;
  if (wanted == 0) {
    return Status::Ok();
  }
  const Address from = Floor(offset, facts.alignment);
  const Address to =
      std::min(Floor(offset + wanted + facts.alignment - 1, facts.alignment), facts.size);
  Status status;
  if (from == offset && to == offset + wanted) {
    status = ReadAligned(offset, wanted, destination);
  } else {
    std::vector<char> around(to - from);
    status = ReadAligned(from, around.size(), around.data());
    std::memcpy(destination, around.data() + (offset - from), wanted);
  }
  *read = status.ok() ? wanted : 0;
  return status;
}

Status NbdDevice::ReadTogether(const std::vector<ReadOp>& reads) {
  NbdCall like;
  like.kind = NbdRequest::Kind::kRead;
  std::vector<NbdCall> calls;
  for (const ReadOp& op : reads) {
    const uint64_t alignment = client_->facts().alignment;
    if (op.offset % alignment != 0 || op.length % alignment != 0) {
      return Device::ReadTogether(reads);
    }
    if (Status status = CheckRange("read", op.offset, op.length); !status.ok()) {
      return status;
    }
    Split(like, op.destination, op.length, op.offset, &calls);
  }
  NbdBatch batch;
  return client_->Run(&calls, &batch);
}

Status NbdDevice::ReadAligned(Address offset, size_t length, char* destination) {
  NbdCall like;
  like.kind = NbdRequest::Kind::kRead;
  std::vector<NbdCall> calls;
  Split(like, destination, length, offset, &calls);
  NbdBatch batch;
  return client_->Run(&calls, &batch);
}

}  // namespace lss
