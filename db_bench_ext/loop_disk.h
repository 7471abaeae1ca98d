#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "db_bench_ext/descriptor.h"
#include "db_bench_ext/disk_format.h"
#include "db_bench_ext/result.h"
#include "db_bench_ext/work_directory.h"

namespace bloom_lfs::bench {

// A disk of its own for some databases: a file system in a file that was written in full before,
// on a loop device with direct I/O.
// Unmounted and detached when the object goes away; the file goes with its directory.
class LoopDisk {
 public:
  // Makes `name` in `directory`, with `bytes` of room. The error says why this machine cannot have
  // one.
  static Result<std::unique_ptr<LoopDisk>> Create(const std::string& directory,
                                                  const std::string& name, uint64_t bytes,
                                                  const DiskFormat& format = Ext4Format());
  ~LoopDisk();
  LoopDisk(const LoopDisk&) = delete;
  LoopDisk& operator=(const LoopDisk&) = delete;

  // For databases.
  const WorkDirectory& directory() const { return *directory_; }

  const std::string& device() const { return device_; }  // "/dev/loop0"
  const std::string& mount_point() const { return mount_point_; }

 private:
  LoopDisk() = default;
  Failure Attach(const std::string& image);
  Failure Mount(const std::string& mount_point, const DiskFormat& format);

  std::string device_;
  std::optional<Descriptor> loop_;
  std::string mount_point_;  // empty: not mounted
  std::optional<WorkDirectory> directory_;
};

}  // namespace bloom_lfs::bench
