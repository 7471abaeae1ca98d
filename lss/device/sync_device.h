// The file through system calls: pwritev2, fdatasync, fallocate. Also the fallback for io_uring.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "lss/base/file_identity.h"
#include "lss/device/device.h"
#include "lss/options.h"

namespace lss {

// The system calls a SyncDevice uses, so that tests can make them fall short or fail. Results as
// the kernel gives them: a count, or -errno.
class SystemCalls {
 public:
  virtual ~SystemCalls() = default;
  virtual int64_t Pwritev2(int fd, const iovec* pieces, int count, int64_t offset, int flags);
  virtual int Fdatasync(int fd);
  virtual int SyncFileRange(int fd, int64_t offset, int64_t length);
  virtual int Fallocate(int fd, int mode, int64_t offset, int64_t length);
  // The real ones.
  static SystemCalls* Default();
};

class SyncDevice final : public Device {
 public:
  // Takes ownership of `fd`, a read-write descriptor without O_DIRECT.
  SyncDevice(UniqueFd fd, std::string name, WarningSink warn,
             SystemCalls* calls = SystemCalls::Default());

  Status Write(const std::vector<iovec>& pieces, Address offset, WriteKind kind) override;
  Status Sync() override;
  void StartWriteback(Address offset, uint64_t length) override;
  Status Allocate(Address offset, uint64_t length) override;
  Status SetSize(uint64_t size) override;
  Status Read(Address offset, size_t length, char* destination, size_t* read) override;
  void SetDirect(bool enable) override;
  bool direct() const override { return direct_.load(std::memory_order_relaxed); }
  bool Unlinked() const override;
  int fd() const override { return fd_.get(); }
  const std::string& name() const override { return name_; }

 private:
  int64_t WriteOnce(const iovec* pieces, int count, Address offset, WriteKind kind,
                    bool* needs_sync);
  Status OpenReader(int* fd);
  void WarnNoDirect();
  void WarnOnce(std::atomic<bool>* warned, const std::string& line);

  UniqueFd fd_;
  // For reads: buffered whatever fd_ is. Opened at the first read.
  std::mutex reader_mutex_;
  UniqueFd reader_;
  std::string name_;
  WarningSink warn_;
  SystemCalls* calls_;
  std::atomic<bool> direct_{false};
  std::atomic<bool> no_dsync_flag_{false};
  std::atomic<bool> no_allocate_{false};
};

// Writes each op at once with Device::Write; where there is no io_uring.
class SyncWriter final : public AsyncWriter {
 public:
  explicit SyncWriter(int wake_fd) : wake_fd_(wake_fd) {}
  void Submit(FlushClient* client, const std::vector<WriteOp>& ops) override;
  void Reap(const Done& done) override;
  size_t in_flight() const override { return finished_.size(); }

 private:
  struct Finished {
    FlushClient* client;
    WriteOp op;
    Status status;
  };
  int wake_fd_;
  std::deque<Finished> finished_;
};

}  // namespace lss
