// An export of a server as a page store wants it: nothing waits long for the server, and one that
// is gone is gone for good.
//
// A write is durable when it returns, so that a connection that is made again has lost nothing: a
// server may be restarted under a store. One that does not answer, or is away for a second, ends
// the device: from then on every call fails at once.
//
// Thread safety: as Device says.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "lss/base/mutex.h"
#include "lss/device/device.h"
#include "lss/pages/read_queue.h"

namespace lss {

class ExportDevice final : public Device {
 public:
  // Errors as OpenRemoteDevice says, within seconds.
  static Status Open(const std::string& uri, std::shared_ptr<ExportDevice>* result);
  // REQUIRES: an error without errno says that `device` has lost its server.
  explicit ExportDevice(std::unique_ptr<Device> device) : device_(std::move(device)) {}

  // Not OK: with this error the server was lost.
  Status gone() const;

  const std::string& name() const override { return device_->name(); }
  Status Identify(StreamId* id, uint64_t* size) override { return device_->Identify(id, size); }
  Status Write(const std::vector<iovec>& pieces, Address offset, WriteKind kind) override;
  Status Sync() override;
  Status Allocate(Address offset, uint64_t length) override {
    return device_->Allocate(offset, length);
  }
  Status SetSize(uint64_t size) override { return device_->SetSize(size); }
  Status OpenAside(std::unique_ptr<Device>* aside) override;
  Status Read(Address offset, size_t length, char* destination, size_t* read) override;
  // Blocks, and minds WriteOp::shift.
  void Submit(AsyncWriter* writer, FlushClient* client, const std::vector<WriteOp>& ops) override;

  // Several at a time; each of `reads` has its result.
  void ReadRanges(std::vector<RangeRead>* reads);

 private:
  // Runs `call` unless the server is gone, and notes whether it is now.
  template <typename Call>
  Status Try(const Call& call);
  Status Note(const Status& status);

  const std::unique_ptr<Device> device_;
  // Relaxed: only spares a call; why it is set is under the lock.
  std::atomic<bool> is_gone_{false};
  mutable Mutex mutex_;
  Status gone_ LSS_GUARDED_BY(mutex_);
};

}  // namespace lss
