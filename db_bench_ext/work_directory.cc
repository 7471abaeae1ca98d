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

Failure CheckIsOnDisk(const std::string& directory) {
  struct statfs info {};
  if (statfs(directory.c_str(), &info) != 0) {
    return Error{"cannot use " + directory + " for databases: " + std::strerror(errno) +
                 "; pass --db_dir=<an existing directory on a disk>"};
  }
  if (info.f_type == TMPFS_MAGIC || info.f_type == RAMFS_MAGIC) {
    return Error{directory + " is in memory (tmpfs), where a write-ahead log costs nothing; pass " +
                 "--db_dir=<a directory on a disk>"};
  }
  return std::nullopt;
}

Failure CheckFreeSpace(const std::string& directory, uint64_t needed_bytes) {
  struct statvfs info {};
  if (statvfs(directory.c_str(), &info) != 0) {
    return Error{"cannot ask for the free space of " + directory + ": " + std::strerror(errno)};
  }
  const uint64_t free_bytes = static_cast<uint64_t>(info.f_bavail) * info.f_frsize;
  if (free_bytes < needed_bytes) {
    return Error{directory + " has " + std::to_string(free_bytes >> 20) + " MiB free and " +
                 std::to_string(needed_bytes >> 20) +
                 " MiB are needed; free some, or pass --db_dir=<a directory on another disk>"};
  }
  return std::nullopt;
}

}  // namespace

Result<WorkDirectory> WorkDirectory::Create(const std::string& parent, uint64_t needed_bytes) {
  if (Failure failure = CheckIsOnDisk(parent)) return *failure;
  if (Failure failure = CheckFreeSpace(parent, needed_bytes)) return *failure;
  std::string path = parent + "/db_bench_ext.XXXXXX";
  if (mkdtemp(path.data()) == nullptr) {
    return Error{"cannot create a directory in " + parent + ": " + std::strerror(errno) +
                 "; pass --db_dir=<a directory you may write to>"};
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
    std::fprintf(stderr, "db_bench_ext: cannot remove %s: %s; remove it by hand\n", path_.c_str(),
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
