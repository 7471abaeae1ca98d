#include "lss/device/async_writer.h"

#include <unistd.h>

#include <string>
#include <utility>

namespace lss {

void Device::Submit(AsyncWriter* writer, FlushClient* client, const std::vector<WriteOp>& ops) {
  for (const WriteOp& op : ops) {
    writer->Report(client, op, WriteNow(this, op));
  }
}

Status Device::ReadTogether(const std::vector<ReadOp>& reads) {
  Status status;
  for (const ReadOp& op : reads) {
    size_t read = 0;
    status = status.ok() ? Read(op.offset, op.length, op.destination, &read) : status;
    if (status.ok() && read != op.length) {
      status = Status::Corruption(name() + " ends before offset " +
                                  std::to_string(op.offset + op.length));
    }
  }
  return status;
}

Status WriteNow(Device* device, const WriteOp& op) {
  const iovec piece = {const_cast<char*>(op.data), op.length};
  return device->Write({piece}, op.offset, WriteKind::kPlain);
}

void AsyncWriter::Report(FlushClient* client, const WriteOp& op, const Status& status) {
  const MutexLock lock(&mutex_);
  reported_.push_back({client, op, status});
}

void AsyncWriter::Post(FlushClient* client, const WriteOp& op, const Status& status) {
  // The wake-up under the lock: once the op can be taken, its stream may end, and we with it.
  const MutexLock lock(&mutex_);
  reported_.push_back({client, op, status});
  const uint64_t one = 1;
  (void)!write(wake_fd_, &one, sizeof(one));
}

std::vector<AsyncWriter::Finished> AsyncWriter::TakeReported() {
  const MutexLock lock(&mutex_);
  return std::exchange(reported_, {});
}

size_t AsyncWriter::reported_count() const {
  const MutexLock lock(&mutex_);
  return reported_.size();
}

}  // namespace lss
