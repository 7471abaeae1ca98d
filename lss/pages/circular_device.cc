#include "lss/pages/circular_device.h"

#include <algorithm>

namespace lss {
namespace {

// Cuts `pieces` behind `bytes` bytes; what is left stays in `pieces`.
std::vector<iovec> TakeFront(std::vector<iovec>* pieces, uint64_t bytes) {
  std::vector<iovec> front;
  while (bytes > 0 && !pieces->empty()) {
    iovec& piece = pieces->front();
    const size_t part = std::min<uint64_t>(piece.iov_len, bytes);
    front.push_back({piece.iov_base, part});
    bytes -= part;
    piece.iov_base = static_cast<char*>(piece.iov_base) + part;
    piece.iov_len -= part;
    if (piece.iov_len == 0) {
      pieces->erase(pieces->begin());
    }
  }
  return front;
}

}  // namespace

Status CircularDevice::Identify(StreamId* id, uint64_t* size) {
  Status status = file_->Identify(id, size);
  *size = 0;
  return status;
}

Status CircularDevice::Write(const std::vector<iovec>& pieces, Address offset, WriteKind kind) {
  std::vector<iovec> left = pieces;
  Status status;
  while (status.ok() && !left.empty()) {
    const uint64_t room = area_.bytes - area_.PlaceOf(origin_ + offset);
    const std::vector<iovec> now = TakeFront(&left, room);
    status = file_->Write(now, OffsetOf(offset), kind);
    offset += room;
  }
  return status;
}

Status CircularDevice::OpenAside(std::unique_ptr<Device>* /*aside*/) {
  return Status::NotSupported(name() + " is never zeroed ahead");
}

Status CircularDevice::Read(Address offset, size_t length, char* destination, size_t* read) {
  *read = 0;
  Status status;
  while (status.ok() && *read < length) {
    const uint64_t at = offset + *read;
    const size_t part =
        std::min<uint64_t>(length - *read, area_.bytes - area_.PlaceOf(origin_ + at));
    size_t got = 0;
    status = file_->Read(OffsetOf(at), part, destination + *read, &got);
    *read += got;
    if (got < part) {
      break;
    }
  }
  return status;
}

// A buffer lies in one MiB of the log, and so in one piece of the file.
void CircularDevice::Submit(AsyncWriter* writer, FlushClient* client,
                            const std::vector<WriteOp>& ops) {
  std::vector<WriteOp> placed = ops;
  for (WriteOp& op : placed) {
    op.shift = static_cast<int64_t>(OffsetOf(op.offset) - op.offset);
  }
  file_->Submit(writer, client, placed);
}

void CircularDevice::StartWriteback(Address offset, uint64_t length) {
  file_->StartWriteback(OffsetOf(offset), length);
}

}  // namespace lss
