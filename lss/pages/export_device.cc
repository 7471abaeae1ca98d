#include "lss/pages/export_device.h"

#include <cerrno>
#include <utility>

#include "lss/device/async_writer.h"
#include "lss/device/remote_device.h"

namespace lss {

Status ExportDevice::Open(const std::string& uri, std::shared_ptr<ExportDevice>* result) {
  RemoteOptions options;  // without a line for each connection: the store says when it is off
  options.reconnect_for_ms = 1000;
  options.connect_timeout_ms = 2000;
  options.read_within_ms = 2000;
  options.write_within_ms = 5000;
  std::unique_ptr<Device> device;
  Status status = OpenRemoteDevice(uri, options, &device);
  if (status.ok()) {
    *result = std::make_shared<ExportDevice>(std::move(device));
  }
  return status;
}

Status ExportDevice::gone() const {
  if (!is_gone_.load(std::memory_order_relaxed)) {  // Relaxed: see is_gone_
    return Status::Ok();
  }
  const MutexLock lock(&mutex_);
  return gone_;
}

// What a server answers has an errno; what it does not answer has none.
Status ExportDevice::Note(const Status& status) {
  if (status.code() == Status::Code::kIoError && status.error_number() == 0) {
    const MutexLock lock(&mutex_);
    if (gone_.ok()) {
      gone_ = status;
    }
    is_gone_.store(true, std::memory_order_relaxed);  // Relaxed: see is_gone_
  }
  return status;
}

template <typename Call>
Status ExportDevice::Try(const Call& call) {
  Status status = gone();
  return status.ok() ? Note(call()) : status;
}

Status ExportDevice::Write(const std::vector<iovec>& pieces, Address offset, WriteKind /*kind*/) {
  return Try([&] { return device_->Write(pieces, offset, WriteKind::kDurable); });
}

Status ExportDevice::Sync() {
  return Try([&] { return device_->Sync(); });
}

Status ExportDevice::OpenAside(std::unique_ptr<Device>* /*aside*/) {
  return Status::NotSupported(name() + " is never zeroed ahead");
}

Status ExportDevice::Read(Address offset, size_t length, char* destination, size_t* read) {
  *read = 0;
  return Try([&] { return device_->Read(offset, length, destination, read); });
}

void ExportDevice::Submit(AsyncWriter* writer, FlushClient* client,
                          const std::vector<WriteOp>& ops) {
  for (const WriteOp& op : ops) {
    WriteOp placed = op;
    placed.offset += static_cast<uint64_t>(op.shift);
    writer->Report(client, op, WriteNow(this, placed));
  }
}

// An error of one of them is an error of all: then each is asked for its own.
void ExportDevice::ReadRanges(std::vector<RangeRead>* reads) {
  if (reads->empty()) {
    return;
  }
  std::vector<ReadOp> ops;
  ops.reserve(reads->size());
  for (const RangeRead& read : *reads) {
    ops.push_back({read.offset, read.length, read.destination});
  }
  const Status together = Try([&] { return device_->ReadTogether(ops); });
  for (RangeRead& read : *reads) {
    size_t got = read.length;
    const Status status =
        together.ok() ? Status::Ok() : Read(read.offset, read.length, read.destination, &got);
    read.result = status.ok()                  ? static_cast<int64_t>(got)
                  : status.error_number() != 0 ? -status.error_number()
                                               : -EIO;
  }
}

}  // namespace lss
