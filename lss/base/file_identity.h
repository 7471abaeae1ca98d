// Which file is it? Identity that survives renames and tells a copy from the original.
#pragma once

#include <cstdint>
#include <string>

#include "lss/base/status.h"

namespace lss {

struct FileIdentity {
  uint64_t device = 0;
  uint64_t inode = 0;
  int64_t birth_time_ns = 0;  // 0: the file system does not record it

  // The same file on the same boot or another: inode and birth time, because device numbers may
  // change with a remount; the device instead where there is no birth time.
  bool SameFile(const FileIdentity& other) const {
    return inode == other.inode && birth_time_ns == other.birth_time_ns &&
           (birth_time_ns != 0 || device == other.device);
  }
};

// A file descriptor that closes itself.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.Release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept;
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;
  ~UniqueFd() { Reset(); }

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  void Reset();
  int Release();

 private:
  int fd_ = -1;
};

// Identity and size of an open file, or of a path (symbolic links followed).
Status IdentifyFd(int fd, const std::string& name, FileIdentity* identity, uint64_t* size);
Status IdentifyPath(const std::string& path, FileIdentity* identity, uint64_t* size);

// Identifies the running boot of this machine; all zeros where the kernel does not tell.
const uint8_t* BootId();

// "dir" of "dir/name", "." of "name", "/" of "/name".
std::string DirectoryOf(const std::string& path);
// A file in `directory` that has no name yet; an invalid fd where the file system has no such
// thing. NameFile gives it its name, which must not exist; false with errno otherwise.
UniqueFd CreateUnnamed(const std::string& directory);
bool NameFile(int fd, const std::string& path);
// Inode number as it stands in a ring file's name.
std::string RingFileName(uint64_t inode);

}  // namespace lss
