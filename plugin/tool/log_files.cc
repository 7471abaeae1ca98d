#include "plugin/tool/log_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <tuple>

#include "lss/base/posix_file.h"
#include "lss/recovery/ring_directory.h"
#include "plugin/file_kind.h"

namespace bloom_lfs::tool {
namespace {

using lss::Status;

constexpr uint64_t kStatBlockBytes = 512;  // of st_blocks, on every file system

}  // namespace

Status CheckDirectory(const std::string& directory) {
  struct stat st = {};
  if (stat(directory.c_str(), &st) != 0) {
    return Status::FromErrno("stat", directory, -1, errno);
  }
  if (!S_ISDIR(st.st_mode)) {
    return Status::InvalidArgument(directory + " is no directory");
  }
  std::vector<std::string> names;
  return lss::ListDirectory(directory, &names);
}

bool HasDatabase(const std::string& directory) {
  return access((directory + "/CURRENT").c_str(), F_OK) == 0;
}

std::string NoDatabaseIn(const std::string& directory) {
  return directory + ": no database is here (there is no CURRENT), and no log";
}

Status ListLogFiles(const std::string& directory, std::vector<std::string>* paths) {
  Status failed;
  for (const std::string& place : {directory, directory + "/" + lss::kArchiveDirectoryName}) {
    std::vector<std::string> names;
    const Status status = lss::ListDirectory(place, &names);
    if (failed.ok() && (place == directory || status.code() != Status::Code::kNotFound)) {
      failed = status;
    }
    for (const std::string& name : names) {
      if (IsOursOrTrash(name)) {
        paths->push_back(place + "/" + name);
      }
    }
  }
  std::sort(paths->begin(), paths->end(), [](const std::string& a, const std::string& b) {
    return std::make_tuple(WalNumber(a), a) < std::make_tuple(WalNumber(b), b);
  });
  return failed;
}

Status OpenLogFile(const std::string& path, lss::UniqueFd* fd, struct stat* st) {
  *fd = lss::UniqueFd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd->valid() || fstat(fd->get(), st) != 0) {
    return Status::FromErrno("open", path, -1, errno);
  }
  if (!S_ISREG(st->st_mode)) {
    return Status::InvalidArgument(path + " is no regular file: it is not looked at");
  }
  return Status::Ok();
}

uint64_t AllocatedBytes(const struct stat& st) {
  return static_cast<uint64_t>(st.st_blocks) * kStatBlockBytes;
}

}  // namespace bloom_lfs::tool
