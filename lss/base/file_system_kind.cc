#include "lss/base/file_system_kind.h"

#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>

namespace lss {
namespace {

// Not all of them are in <linux/magic.h>.
constexpr uint64_t kBtrfs = 0x9123683E;
constexpr uint64_t kZfs = 0x2FC12FC1;
constexpr uint64_t kBcachefs = 0xCA451A4E;
constexpr uint64_t kNilfs = 0x3434;

}  // namespace

bool OverwritesInPlace(uint64_t file_system_type) {
  // f_type is a signed word, which some systems extend.
  switch (file_system_type & UINT32_MAX) {
    case kBtrfs:
    case kZfs:
    case kBcachefs:
    case kNilfs:
      return false;
    default:
      return true;
  }
}

bool FileOverwritesInPlace(int fd) {
  struct statfs facts = {};
  return fstatfs(fd, &facts) != 0 || OverwritesInPlace(static_cast<uint64_t>(facts.f_type));
}

void AvoidCopyOnWrite(int fd) {
  int flags = 0;
  if (!FileOverwritesInPlace(fd) && ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0) {
    flags |= FS_NOCOW_FL;
    (void)ioctl(fd, FS_IOC_SETFLAGS, &flags);
  }
}

}  // namespace lss
