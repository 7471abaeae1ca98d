#pragma once

#include <cstdint>
#include <string>

#include "db_bench_ext/result.h"

namespace bloom_lfs::bench {

// How fast a disk is allowed to be. Zero: no limit.
struct DiskLimits {
  uint64_t reads_per_s = 0;
  uint64_t bytes_per_s = 0;  // in each direction
};

// The kernel's limits of one block device, by the cgroup controller of either version: for all of
// the group that this program is in (version 1), or for it and the children that it starts from now
// on (version 2). Gone with the object; that version 2 has the controller at all stays.
class IoThrottle {
 public:
  // `device` as in /sys/block/<name>/dev, "7:3". The error says what this machine lacks.
  static Result<IoThrottle> Create(const std::string& device,
                                   const std::string& cgroups = "/sys/fs/cgroup",
                                   const std::string& own_groups = "/proc/self/cgroup");
  ~IoThrottle();
  IoThrottle(IoThrottle&& other) noexcept;
  IoThrottle& operator=(IoThrottle&&) = delete;

  Failure Set(const DiskLimits& limits) const;

 private:
  IoThrottle(std::string device, std::string directory, std::string group_before);
  bool OwnsGroup() const { return !group_before_.empty(); }

  std::string device_;
  std::string directory_;     // of the controller's files; empty once moved from
  std::string group_before_;  // version 2: where this process belongs
};

}  // namespace bloom_lfs::bench
