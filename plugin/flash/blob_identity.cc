#include "plugin/flash/blob_identity.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>

#include "lss/base/crc32c.h"
#include "lss/base/posix_file.h"
#include "lss/base/unique_fd.h"
#include "lss/pages/page_key.h"

namespace bloom_lfs {
namespace {

constexpr char kAttribute[] = "user.bloom_lfs";
constexpr size_t kEndBytes = 4096;

bool ReadNumber(int fd, uint64_t* number) {
  return fgetxattr(fd, kAttribute, number, sizeof(*number)) ==
         static_cast<ssize_t>(sizeof(*number));
}

bool MakeNumber(uint64_t* number) {
  return getrandom(number, sizeof(*number), 0) == static_cast<ssize_t>(sizeof(*number));
}

// Where a changed attribute of a file below means a copy of all of it above.
bool IsOnOverlay(int fd) {
  struct statfs facts = {};
  return fstatfs(fd, &facts) != 0 || facts.f_type == OVERLAYFS_SUPER_MAGIC;
}

// Whoever is first gives it; an attribute that is something else stays what it is.
bool GiveNumber(int fd, uint64_t* number) {
  if (IsOnOverlay(fd) || !MakeNumber(number)) {
    return false;
  }
  return fsetxattr(fd, kAttribute, number, sizeof(*number), XATTR_CREATE) == 0 ||
         (errno == EEXIST && ReadNumber(fd, number));
}

// The CRC-32C of up to kEndBytes from `offset`.
bool SumOf(int fd, const std::string& path, uint64_t offset, uint32_t* crc) {
  char bytes[kEndBytes];
  size_t read = 0;
  if (!lss::ReadFully(fd, path, offset, sizeof(bytes), bytes, &read).ok()) {
    return false;
  }
  *crc = lss::Crc32c(0, bytes, read);
  return true;
}

}  // namespace

void NameBlobFile(const std::string& path) {
  uint64_t number = 0;
  if (MakeNumber(&number)) {
    (void)setxattr(path.c_str(), kAttribute, &number, sizeof(number), 0);
  }
}

std::optional<BlobIdentity> IdentifyBlobFile(const std::string& path, bool may_name) {
  const lss::UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat file = {};
  uint64_t number = 0;
  uint32_t first = 0;
  uint32_t last = 0;
  const bool named =
      fd.valid() && (ReadNumber(fd.get(), &number) ||
                     (may_name && errno == ENODATA && GiveNumber(fd.get(), &number)));
  if (!named || fstat(fd.get(), &file) != 0) {
    return std::nullopt;
  }
  const auto size = static_cast<uint64_t>(file.st_size);
  if (!SumOf(fd.get(), path, 0, &first) ||
      !SumOf(fd.get(), path, size - std::min<uint64_t>(size, kEndBytes), &last)) {
    return std::nullopt;
  }
  uint64_t mixed = number;
  for (const uint64_t part :
       {size, static_cast<uint64_t>(file.st_mtim.tv_sec),
        static_cast<uint64_t>(file.st_mtim.tv_nsec), uint64_t{first} << 32 | last}) {
    mixed = lss::MixBits(mixed ^ lss::MixBits(part + 1));
  }
  return BlobIdentity{mixed == 0 ? 1 : mixed, size};
}

}  // namespace bloom_lfs
