#pragma once

#include <set>
#include <string>

#include "db_bench_ext/arm_command.h"
#include "db_bench_ext/result.h"
#include "db_bench_ext/work_directory.h"
#include "db_bench_ext/workload.h"

namespace bloom_lfs::bench {

// The databases that measured runs find filled. Each is filled once, when the first run asks for
// it, and kept until the work directory goes.
class PreparedDatabases {
 public:
  // Both must outlive the object. Objects that share a directory have another `owner` each.
  PreparedDatabases(const Setup* setup, const WorkDirectory* directory, std::string owner = "");

  // The database for one run of `arm`: the kept one, or a copy of it in `copy_name`.
  Result<std::string> ForRun(const Preparation& preparation, Arm arm, const std::string& copy_name);

 private:
  Result<std::string> Filled(const Preparation& preparation, Arm arm);

  const Setup& setup_;
  const WorkDirectory& directory_;
  const std::string owner_;
  std::set<std::string> filled_;  // names of subdirectories
};

}  // namespace bloom_lfs::bench
