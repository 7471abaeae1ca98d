#include "plugin/log_beginning.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>

#include "lss/base/file_identity.h"
#include "lss/base/posix_file.h"
#include "lss/base/unique_fd.h"
#include "plugin/file_kind.h"

namespace bloom_lfs {

WalTail ScanLogBeginning(const std::string& path) {
  constexpr uint64_t kEnough = 1 << 20;
  const lss::UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  lss::FileIdentity identity;
  uint64_t size = 0;
  if (!fd.valid() || !lss::IdentifyFd(fd.get(), path, &identity, &size).ok()) {
    WalTail unreadable;
    unreadable.stop = WalTailStop::kReadError;
    unreadable.error = EIO;
    return unreadable;
  }
  const TailReadFunction read = [&](uint64_t offset, size_t n, char* scratch) -> int64_t {
    size_t got = 0;
    const lss::Status status = lss::ReadFully(fd.get(), path, offset, n, scratch, &got);
    return TailReadResult(status, got);
  };
  return FindWalTail(read, std::min(size, kEnough), static_cast<uint32_t>(WalNumber(path)));
}

bool MayHoldRows(const std::string& path) {
  const WalTail tail = ScanLogBeginning(path);
  const bool ends = tail.stop == WalTailStop::kEndOfFile || tail.stop == WalTailStop::kZeros;
  return !ends || tail.data_records > 0;
}

}  // namespace bloom_lfs
