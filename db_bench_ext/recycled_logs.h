#pragma once

#include <chrono>
#include <map>
#include <string>

#include "db_bench_ext/child_process.h"
#include "db_bench_ext/result.h"
#include "db_bench_ext/work_directory.h"

namespace bloom_lfs::bench {

// Runs of db_bench with recycled logs. db_bench has no flag for recycle_log_file_num, but reads a
// file of options; with one it takes none from its other flags. So the file is the one that
// RocksDB itself leaves in a database opened with those flags, with that option changed. Where
// RocksDB does not recycle with the wal_recovery_mode that it has by default (7.8), that is
// changed too. Whether it does recycle then, is read in its LOG.
class RecycledLogs {
 public:
  // `directory` must outlive the object; the files of options go with it.
  explicit RecycledLogs(const WorkDirectory* directory);

  // `db_bench` with recycled logs. The file of options is made once for each name.
  Result<Command> With(const Command& db_bench, const std::string& name,
                       std::chrono::seconds timeout);

 private:
  // Makes `file`.
  Failure MakeOptions(const Command& db_bench, const std::string& file,
                      std::chrono::seconds timeout) const;
  // The text of the file, whose name begins so, that a run with one put leaves in its database.
  Result<std::string> FileOfRun(const Command& db_bench, const std::string& name,
                                std::chrono::seconds timeout) const;

  const WorkDirectory& directory_;
  std::map<std::string, std::string> files_;
};

// A text of RocksDB's file of options with another value for `name`. An error if it has no such
// option.
Result<std::string> WithOption(const std::string& options, const std::string& name,
                               const std::string& value);

}  // namespace bloom_lfs::bench
