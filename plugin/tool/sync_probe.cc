#include "plugin/tool/sync_probe.h"

#include <algorithm>

#include "lss/base/zeros.h"

namespace bloom_lfs::tool {
namespace {

using lss::Status;
using lss::WriteKind;

bool IsDurableWay(SyncWay way) {
  return way == SyncWay::kDurableOverwrite || way == SyncWay::kDurableUnwritten;
}

bool HitsWrittenBlocks(SyncWay way) {
  return way == SyncWay::kOverwrite || way == SyncWay::kDurableOverwrite;
}

iovec WritePiece(const char* bytes, uint64_t length) { return {const_cast<char*>(bytes), length}; }

}  // namespace

Status SyncProbe::Create(const std::string& directory, PrivateFile::Name name, SyncWay way,
                         bool direct_io, const char* source, const Shape& shape,
                         std::unique_ptr<SyncProbe>* result) {
  std::unique_ptr<PrivateFile> file;
  Status status = PrivateFile::Create(directory, name, &file);
  if (status.ok()) {
    result->reset(new SyncProbe(std::move(file), way, direct_io, source, shape));
  }
  return status;
}

SyncProbe::SyncProbe(std::unique_ptr<PrivateFile> file, SyncWay way, bool direct_io,
                     const char* source, const Shape& shape)
    : file_(std::move(file)),
      device_(file_->TakeFd(), "a file in " + file_->directory(), nullptr),
      way_(way),
      direct_io_(direct_io && IsDurableWay(way)),
      source_(source),
      shape_(shape) {}

Status SyncProbe::Renew() {
  const bool first = end_ == 0;
  if (first || !HitsWrittenBlocks(way_)) {
    if (Status status = Prepare(); !status.ok()) {
      return status;
    }
  }
  at_ = 0;
  end_ = shape_.area_bytes;
  return Status::Ok();
}

// As a log is made: its blocks allocated in one piece, and its size what is in it.
Status SyncProbe::Prepare() {
  Status status = device_.SetSize(0);
  status = status.ok() ? device_.Allocate(0, shape_.area_bytes) : status;
  if (status.ok() && way_ == SyncWay::kDurableUnwritten) {
    status = device_.SetSize(shape_.area_bytes);
  }
  if (status.ok() && HitsWrittenBlocks(way_)) {
    status = WriteZeros();
  }
  status = status.ok() ? device_.Sync() : status;
  device_.BypassCache(direct_io_);
  return status;
}

Status SyncProbe::WriteZeros() {
  Status status;
  for (uint64_t at = 0; at < shape_.area_bytes && status.ok(); at += lss::kZerosBytes) {
    const uint64_t length = std::min<uint64_t>(lss::kZerosBytes, shape_.area_bytes - at);
    status = device_.Write({WritePiece(lss::Zeros(), length)}, at, WriteKind::kPlain);
  }
  return status;
}

Status SyncProbe::Next() {
  const lss::Address at = way_ == SyncWay::kAppend ? at_ : lss::PageFloor(at_);
  at_ += shape_.step_bytes;
  const auto kind = IsDurableWay(way_) ? WriteKind::kDurable : WriteKind::kPlain;
  const Status status = device_.Write({WritePiece(source_, shape_.write_bytes)}, at, kind);
  return status.ok() && !IsDurableWay(way_) ? device_.Sync() : status;
}

}  // namespace bloom_lfs::tool
