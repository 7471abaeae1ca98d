#pragma once

#include <memory>
#include <optional>
#include <string>

#include "db_bench_ext/io_throttle.h"
#include "db_bench_ext/loop_disk.h"
#include "db_bench_ext/result.h"
#include "db_bench_ext/work_directory.h"

namespace bloom_lfs::bench {

// A loop disk that can be made slow.
class SlowDisk {
 public:
  // Makes it in `directory`, with `bytes` of room. The error says why this machine cannot have one.
  static Result<std::unique_ptr<SlowDisk>> Create(const std::string& directory, uint64_t bytes);

  // For databases.
  const WorkDirectory& directory() const { return disk_->directory(); }

  // As fast as the disk below until this is called.
  Failure Limit(const DiskLimits& limits) const { return throttle_->Set(limits); }

 private:
  SlowDisk() = default;
  Failure MakeThrottle();
  Failure CheckItIsSlow() const;

  std::unique_ptr<LoopDisk> disk_;
  std::optional<IoThrottle> throttle_;
};

}  // namespace bloom_lfs::bench
