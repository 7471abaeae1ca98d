#include "db_bench_ext/work_directory.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

namespace bloom_lfs::bench {
namespace {

// What to do about it.
std::string Pass(const WorkDirectoryRules& rules, const std::string& what) {
  return std::string("pass ") + rules.flag + "=<" + what + ">";
}

Failure CheckIsOnDisk(const std::string& directory, const WorkDirectoryRules& rules) {
  struct statfs info {};
  if (statfs(directory.c_str(), &info) != 0) {
    return Error{"cannot use " + directory + ": " + std::strerror(errno) + "; " +
                 Pass(rules, "an existing directory on a disk")};
  }
  const bool in_memory = info.f_type == TMPFS_MAGIC || info.f_type == RAMFS_MAGIC;
  if (in_memory && rules.on_disk_only) {
    return Error{directory + " is in memory (tmpfs), where a write-ahead log costs nothing; " +
                 Pass(rules, "a directory on a disk")};
  }
  return std::nullopt;
}

Failure CheckFreeSpace(const std::string& directory, uint64_t needed_bytes,
                       const WorkDirectoryRules& rules) {
  struct statvfs info {};
  if (statvfs(directory.c_str(), &info) != 0) {
    return Error{"cannot ask for the free space of " + directory + ": " + std::strerror(errno)};
  }
  const uint64_t free_bytes = static_cast<uint64_t>(info.f_bavail) * info.f_frsize;
  if (free_bytes < needed_bytes) {
    return Error{directory + " has " + std::to_string(free_bytes >> 20) + " MiB free and " +
                 std::to_string(needed_bytes >> 20) + " MiB are needed; free some, or " +
                 Pass(rules, "a directory on another disk")};
  }
  return std::nullopt;
}

}  // namespace

Result<WorkDirectory> WorkDirectory::Create(const std::string& parent, uint64_t needed_bytes,
                                            const WorkDirectoryRules& rules) {
  if (Failure failure = CheckIsOnDisk(parent, rules)) return *failure;
  if (Failure failure = CheckFreeSpace(parent, needed_bytes, rules)) return *failure;
  std::string path = parent + "/" + rules.program + ".XXXXXX";
  if (mkdtemp(path.data()) == nullptr) {
    return Error{"cannot create a directory in " + parent + ": " + std::strerror(errno) + "; " +
                 Pass(rules, "a directory you may write to")};
  }
  return WorkDirectory(std::move(path));
}

WorkDirectory::WorkDirectory(std::string path) : path_(std::move(path)) {}

WorkDirectory::WorkDirectory(WorkDirectory&& other) noexcept
    : path_(std::exchange(other.path_, std::string())) {}

WorkDirectory::~WorkDirectory() {
  if (path_.empty()) return;
  std::error_code error;
  std::filesystem::remove_all(path_, error);
  if (error) {
    std::fprintf(stderr, "cannot remove %s: %s; remove it by hand\n", path_.c_str(),
                 error.message().c_str());
  }
}

Result<std::string> WorkDirectory::FreshSubdirectory(const std::string& name) const {
  const std::filesystem::path directory = std::filesystem::path(path_) / name;
  std::error_code error;
  std::filesystem::remove_all(directory, error);
  if (!error) std::filesystem::create_directory(directory, error);
  if (error) return Error{"cannot make " + directory.string() + " empty: " + error.message()};
  return directory.string();
}

Failure WorkDirectory::SettleFileSystem() const {
  const int fd = open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0 || syncfs(fd) != 0) {
    const int error = errno;
    if (fd >= 0) close(fd);
    return Error{"cannot write out the file system of " + path_ + ": " + std::strerror(error)};
  }
  close(fd);
  return std::nullopt;
}

}  // namespace bloom_lfs::bench
