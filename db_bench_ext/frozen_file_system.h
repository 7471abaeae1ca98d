#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <utility>

#include "db_bench_ext/descriptor.h"
#include "db_bench_ext/result.h"

namespace bloom_lfs::bench {

// A file system that is frozen (FIFREEZE): whoever writes to it waits, as with a disk that does not
// answer. Thawed when the object goes away, and when this program dies, however it does.
//
// A child that waits there cannot be ended before: thaw first.
class FrozenFileSystem {
 public:
  static Result<std::unique_ptr<FrozenFileSystem>> Create(const std::string& mount_point);
  ~FrozenFileSystem();
  FrozenFileSystem(const FrozenFileSystem&) = delete;
  FrozenFileSystem& operator=(const FrozenFileSystem&) = delete;

 private:
  FrozenFileSystem(Descriptor mount_point, Descriptor guard_pipe, pid_t guard)
      : mount_point_(std::move(mount_point)), guard_pipe_(std::move(guard_pipe)), guard_(guard) {}

  Descriptor mount_point_;
  Descriptor guard_pipe_;  // the guard thaws when this is closed, by whatever
  pid_t guard_;
};

}  // namespace bloom_lfs::bench
