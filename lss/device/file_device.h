// A file of this machine as a device: pwritev2, fdatasync, fallocate, io_uring, O_DIRECT.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "lss/base/mutex.h"
#include "lss/base/unique_fd.h"
#include "lss/base/warning_sink.h"
#include "lss/device/device.h"
#include "lss/device/system_calls.h"

namespace lss {

// How a path becomes a stream.
enum class OpenMode {
  kTruncate,  // create, or empty an existing file
  kAppend,    // continue an existing file at its end; create it if missing
};

class FileDevice final : public Device {
 public:
  // A file that is new gets its name by Publish only, where the file system knows nameless files.
  static Status Open(const std::string& path, OpenMode mode, WarningSink warn,
                     std::unique_ptr<FileDevice>* result);
  // Takes ownership of `fd`, a descriptor without O_DIRECT; read-write, unless nothing but Read is
  // asked of it.
  FileDevice(UniqueFd fd, std::string name, WarningSink warn,
             SystemCalls* calls = SystemCalls::Default());

  const std::string& name() const override { return name_; }
  Status Identify(StreamId* id, uint64_t* size) override;
  Status Publish() override;
  bool Unreachable() const override;
  bool overwrites_in_place() const override;

  Status Write(const std::vector<iovec>& pieces, Address offset, WriteKind kind) override;
  Status Sync() override;
  Status Allocate(Address offset, uint64_t length) override;
  Status SetSize(uint64_t size) override;
  uint64_t FreeBytes() const override;
  uint64_t SizeLimit() const override { return calls_->FileSizeLimit(); }
  Status OpenAside(std::unique_ptr<Device>* aside) override;
  Status Read(Address offset, size_t length, char* destination, size_t* read) override;
  void Submit(AsyncWriter* writer, FlushClient* client, const std::vector<WriteOp>& ops) override;
  void StartWriteback(Address offset, uint64_t length) override;
  // By O_DIRECT.
  void BypassCache(bool bypass) override;
  // Still owned by the device.
  int fd() const { return fd_.get(); }
  bool bypasses_cache() const { return direct_.load(std::memory_order_relaxed); }

 private:
  int64_t WriteOnce(const iovec* pieces, int count, Address offset, WriteKind kind,
                    bool* needs_sync);
  // Another open file description of the same file.
  UniqueFd OpenAgain(int flags) const;
  void HoldByName();
  Status OpenReader(int* fd);
  Status ReadWithoutReader(Address offset, size_t length, char* destination, size_t* read);
  void WarnNoDirect();
  void WarnOnce(std::atomic<bool>* warned, const std::string& line);

  const UniqueFd fd_;
  const std::string name_;
  const WarningSink warn_;
  SystemCalls* const calls_;
  bool unnamed_ = false;  // until Publish
  // For reads: buffered whatever fd_ is. Opened at the first read.
  Mutex reader_mutex_;
  UniqueFd reader_ LSS_GUARDED_BY(reader_mutex_);
  // Relaxed everywhere: each only chooses the next request's flags, and a wrong guess is refused by
  // the kernel and corrected.
  std::atomic<bool> direct_{false};
  std::atomic<bool> no_dsync_flag_{false};
  std::atomic<bool> no_allocate_{false};
  // Said once for each device; the sink knows whether others have said the same.
  std::atomic<bool> warned_no_direct_{false};
  std::atomic<bool> warned_no_allocate_{false};
};

}  // namespace lss
