#pragma once

#include <string>
#include <utility>
#include <vector>

#include "db_bench_ext/child_process.h"
#include "db_bench_ext/result.h"
#include "db_bench_ext/work_directory.h"

namespace bloom_lfs::bench {

// fio writing and syncing files of its own beside a measured run: the noisy neighbour on the same
// file system. Stopped when the object goes away.
class BackgroundLoad {
 public:
  // Settles the file system, starts `fio` in a subdirectory and returns once it is writing.
  // `extra_arguments` come last and so override the defaults.
  static Result<BackgroundLoad> Start(const std::string& fio, const WorkDirectory& work_directory,
                                      const std::vector<std::string>& extra_arguments);

  // An error if the load ended before its time: the run beside it then measured something else.
  Failure CheckStillRunning();

 private:
  explicit BackgroundLoad(ChildProcess fio) : fio_(std::move(fio)) {}

  ChildProcess fio_;
};

}  // namespace bloom_lfs::bench
