#pragma once

#include <unistd.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "db_bench_ext/io_throttle.h"
#include "db_bench_ext/result.h"
#include "db_bench_ext/work_directory.h"

namespace bloom_lfs::bench {

// A file descriptor, closed with the object; -1: none.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

// A disk that can be made slow: an ext4 of its own in a file, on a loop device with direct I/O.
// Unmounted and detached when the object goes away; the file goes with its directory.
class SlowDisk {
 public:
  // Makes it in `directory`, with `bytes` of room. The error says why this machine cannot have one.
  static Result<std::unique_ptr<SlowDisk>> Create(const std::string& directory, uint64_t bytes);
  ~SlowDisk();
  SlowDisk(const SlowDisk&) = delete;
  SlowDisk& operator=(const SlowDisk&) = delete;

  // For databases.
  const WorkDirectory& directory() const { return *directory_; }

  // As fast as the disk below until this is called.
  Failure Limit(const DiskLimits& limits) const { return throttle_->Set(limits); }

 private:
  SlowDisk() = default;
  Failure Attach(const std::string& image);
  Failure MakeThrottle();
  Failure CheckItIsSlow() const;
  Failure Mount(const std::string& mount_point);

  std::string loop_device_;
  std::optional<Descriptor> loop_;
  std::string mount_point_;  // empty: not mounted
  std::optional<IoThrottle> throttle_;
  std::optional<WorkDirectory> directory_;
};

}  // namespace bloom_lfs::bench
