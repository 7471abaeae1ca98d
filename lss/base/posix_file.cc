#include "lss/base/posix_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace lss {

Status ReadFully(int fd, const std::string& name, Address offset, size_t length, char* destination,
                 size_t* read) {
  *read = 0;
  while (*read < length) {
    const ssize_t got =
        pread(fd, destination + *read, length - *read, static_cast<off_t>(offset + *read));
    if (got == 0) {
      break;
    }
    if (got > 0) {
      *read += static_cast<size_t>(got);
    } else if (errno != EINTR) {
      return Status::FromErrno("read", name, static_cast<int64_t>(offset + *read), errno);
    }
  }
  return Status::Ok();
}

Status WriteFully(int fd, const std::string& name, Address offset, const std::string& bytes) {
  for (size_t done = 0; done < bytes.size();) {
    const ssize_t written =
        pwrite(fd, bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
    if (written > 0) {
      done += static_cast<size_t>(written);
    } else if (written == 0 || errno != EINTR) {
      return Status::FromErrno("write", name, static_cast<int64_t>(offset + done),
                               written < 0 ? errno : ENOSPC);
    }
  }
  return Status::Ok();
}

namespace {

// Takes over `dir`.
Status List(DIR* dir, const std::string& directory, std::vector<std::string>* names) {
  for (;;) {
    errno = 0;
    const dirent* entry = readdir(dir);  // NOLINT(concurrency-mt-unsafe): own DIR
    if (entry == nullptr) {
      break;
    }
    if (std::strcmp(entry->d_name, ".") != 0 && std::strcmp(entry->d_name, "..") != 0) {
      names->emplace_back(entry->d_name);
    }
  }
  const int error = errno;
  closedir(dir);
  return error == 0 ? Status::Ok() : Status::FromErrno("list", directory, -1, error);
}

}  // namespace

Status ListDirectory(const std::string& directory, std::vector<std::string>* names) {
  DIR* dir = opendir(directory.c_str());
  return dir == nullptr ? Status::FromErrno("open", directory, -1, errno)
                        : List(dir, directory, names);
}

Status ListOpenDirectory(int fd, const std::string& directory, std::vector<std::string>* names) {
  // An open file description of its own: the position in the directory is shared by copies.
  UniqueFd own(openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  DIR* dir = own.valid() ? fdopendir(own.get()) : nullptr;
  if (dir == nullptr) {
    return Status::FromErrno("open", directory, -1, errno);
  }
  own.Release();
  return List(dir, directory, names);
}

std::string DirectoryOf(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) {
    return ".";
  }
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string BaseNameOf(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

UniqueFd CreateUnnamed(const std::string& directory) {
  return UniqueFd(open(directory.c_str(), O_RDWR | O_TMPFILE | O_CLOEXEC, 0644));
}

bool NameFile(int fd, const std::string& path) {
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  return linkat(AT_FDCWD, link.c_str(), AT_FDCWD, path.c_str(), AT_SYMLINK_FOLLOW) == 0;
}

}  // namespace lss
