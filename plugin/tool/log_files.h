// The logs and blob files of a directory, for who only looks at them.
//
// Thread safety: functions without state, from any thread.
#pragma once

#include <sys/stat.h>

#include <string>
#include <vector>

#include "lss/base/status.h"
#include "lss/base/unique_fd.h"

namespace bloom_lfs::tool {

// InvalidArgument or the kernel's error: `directory` is none, or not one that can be listed.
lss::Status CheckDirectory(const std::string& directory);

// Whether the directory is that of a database, not of logs alone.
bool HasDatabase(const std::string& directory);
// The sentence for one that is neither.
std::string NoDatabaseIn(const std::string& directory);

// Paths of the logs and blob files in `directory` and in its archive, blob files first, then logs
// in the order of their numbers. An error: of the first of the two that cannot be listed; what is
// in the other is there all the same.
lss::Status ListLogFiles(const std::string& directory, std::vector<std::string>* paths);

// Opens the file at `path` for reading. Never waits, whatever it is: InvalidArgument unless it is a
// regular file.
lss::Status OpenLogFile(const std::string& path, lss::UniqueFd* fd, struct stat* st);

// What the file takes on its disk.
uint64_t AllocatedBytes(const struct stat& st);

}  // namespace bloom_lfs::tool
