#pragma once

#include <cstdint>
#include <string>

#include "db_bench_ext/result.h"

namespace bloom_lfs::bench {

// Whose directory it is, and what may hold it.
struct WorkDirectoryRules {
  const char* program = "db_bench_ext";  // the beginning of its name
  const char* flag = "--db_dir";         // by which the user says where
  // A database in memory would measure nothing that matters.
  bool on_disk_only = true;
};

// A private directory for databases and probe files, removed with all its contents when the object
// goes away.
class WorkDirectory {
 public:
  // Creates a new directory inside `parent`, which must have `needed_bytes` free.
  static Result<WorkDirectory> Create(const std::string& parent, uint64_t needed_bytes,
                                      const WorkDirectoryRules& rules = {});
  ~WorkDirectory();
  WorkDirectory(WorkDirectory&& other) noexcept;
  WorkDirectory& operator=(WorkDirectory&&) = delete;

  const std::string& path() const { return path_; }

  // An empty subdirectory; whatever had that name is removed first.
  Result<std::string> FreshSubdirectory(const std::string& name) const;

  // Writes out everything that is dirty on this file system, so that a run does not pay for the one
  // before it.
  Failure SettleFileSystem() const;

 private:
  explicit WorkDirectory(std::string path);

  std::string path_;
};

}  // namespace bloom_lfs::bench
