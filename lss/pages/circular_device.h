// A log without an end, on a part of a file: address a of the record log is byte
// (origin + a) mod area of that part. The file's size never changes. It may be any device whose
// Submit minds WriteOp::shift.
//
// Thread safety: as Device says.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "lss/device/device.h"

namespace lss {

// The part, in bytes of the file. REQUIRES: both are multiples of 1 MiB.
struct LogArea {
  uint64_t begin = 0;
  uint64_t bytes = 0;
  // Where in the part the log's byte `lsn` is.
  uint64_t PlaceOf(uint64_t lsn) const { return lsn % bytes; }
};

class CircularDevice final : public Device {
 public:
  // `file` is shared with those who read it. `origin`: the LSN of address 0, a multiple of 1 MiB.
  CircularDevice(std::shared_ptr<Device> file, LogArea area, uint64_t origin)
      : file_(std::move(file)), area_(area), origin_(origin) {}

  const std::string& name() const override { return file_->name(); }
  // Empty, whatever the file holds.
  Status Identify(StreamId* id, uint64_t* size) override;
  bool overwrites_in_place() const override { return file_->overwrites_in_place(); }
  Status Write(const std::vector<iovec>& pieces, Address offset, WriteKind kind) override;
  Status Sync() override { return file_->Sync(); }
  // The whole file has its blocks.
  Status Allocate(Address /*offset*/, uint64_t /*length*/) override { return Status::Ok(); }
  Status SetSize(uint64_t /*size*/) override { return Status::Ok(); }
  Status OpenAside(std::unique_ptr<Device>* aside) override;
  Status Read(Address offset, size_t length, char* destination, size_t* read) override;
  void Submit(AsyncWriter* writer, FlushClient* client, const std::vector<WriteOp>& ops) override;
  void StartWriteback(Address offset, uint64_t length) override;
  void BypassCache(bool bypass) override { file_->BypassCache(bypass); }

 private:
  uint64_t OffsetOf(Address address) const {
    return area_.begin + area_.PlaceOf(origin_ + address);
  }

  const std::shared_ptr<Device> file_;
  const LogArea area_;
  const uint64_t origin_;
};

}  // namespace lss
