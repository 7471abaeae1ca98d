#include "plugin/directory_recovery.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "lss/base/file_identity.h"
#include "lss/base/posix_file.h"
#include "plugin/blob_tail.h"
#include "plugin/file_kind.h"
#include "plugin/live_stores.h"
#include "plugin/wal_tail.h"
#include "plugin/warning.h"

namespace bloom_lfs {
namespace {

// Blob files, then WALs, oldest first. None where the directory cannot be listed.
std::vector<std::string> OurFilesIn(const std::string& directory) {
  std::vector<std::string> names;
  (void)lss::ListDirectory(directory, &names);
  std::vector<std::string> paths;
  for (const std::string& name : names) {
    if (IsOursOrTrash(name)) {
      paths.push_back(directory + "/" + name);
    }
  }
  std::sort(paths.begin(), paths.end(),
            [](const std::string& a, const std::string& b) { return WalNumber(a) < WalNumber(b); });
  return paths;
}

struct ScannedTail {
  uint64_t end;
  bool safe_to_trim;
  int error;  // errno of a failed read, otherwise 0
  std::string description;
};

ScannedTail ScanFile(const TailReadFunction& read, const std::string& name, uint64_t size) {
  if (IsBlob(name)) {
    const BlobTail tail = FindBlobTail(read, size);
    return {tail.end, tail.SafeToTrim(), tail.error, tail.ToString()};
  }
  std::optional<uint32_t> number;
  if (IsWal(name)) {
    number = static_cast<uint32_t>(WalNumber(name));
  }
  const WalTail tail = FindWalTail(read, size, number);
  return {tail.end, tail.SafeToTrim(), tail.error, tail.ToString()};
}

lss::Status Scan(int fd, const std::string& name, uint64_t size, uint64_t* end) {
  const TailReadFunction read = [&](uint64_t offset, size_t n, char* scratch) -> int64_t {
    size_t got = 0;
    const lss::Status status = lss::ReadFully(fd, name, offset, n, scratch, &got);
    return status.ok() ? static_cast<int64_t>(got) : -status.error_number();
  };
  const ScannedTail tail = ScanFile(read, name, size);
  if (tail.error != 0) {
    return lss::Status::FromErrno("read", name, static_cast<int64_t>(tail.end), tail.error);
  }
  *end = tail.safe_to_trim ? tail.end : size;
  WarnOnce(name + ": the machine went down while it was written; " + tail.description);
  return lss::Status::Ok();
}

// A newer log without a ring, born after our writer's last heartbeat, was made by stock RocksDB
// after our writer's death (one born before was the writer's, and has been closed). Merely by
// opening the database stock has decided what the old log holds; the unsynced bytes of the ring
// would come back with sequence numbers that were given out again, and to some column families
// only.
bool StillCurrent(const std::string& file, const lss::RingView& ring) {
  const uint64_t number = WalNumber(file);
  if (number == 0) {
    return true;
  }
  const std::string directory = lss::DirectoryOf(file);
  // Where files cannot be made without a name, our writer may have been killed between naming a log
  // and creating its ring; there an empty log proves nothing.
  const uint64_t size_min = lss::CreateUnnamed(directory).valid() ? 0 : 1;
  for (const std::string& other : OurFilesIn(directory)) {
    lss::FileIdentity identity;
    uint64_t size = 0;
    if (WalNumber(other) > number && lss::IdentifyPath(other, &identity, &size).ok() &&
        size >= size_min && identity.birth_time_ns > ring.heartbeat_ns() &&
        lss::FindRing(other, identity.inode).empty()) {
      return false;
    }
  }
  return true;
}

// Nothing can be left of a dead writer then. Spares the database's directory, which may be large, a
// reading at every creation and deletion of a log.
bool OnlyRingsWeWrite(const std::string& ring_directory) {
  std::vector<std::string> rings;
  return lss::ListRings(ring_directory, &rings).ok() && !rings.empty() &&
         std::all_of(rings.begin(), rings.end(), LiveStores::HasRing);
}

}  // namespace

lss::RecoveryContext PluginRecoveryContext() { return {Scan, StillCurrent, WarnOnce}; }

lss::Status RecoverDirectory(const std::string& directory) {
  const std::string rings = directory + "/" + lss::kRingDirectoryName;
  if (access(rings.c_str(), F_OK) != 0 || OnlyRingsWeWrite(rings)) {
    return lss::Status::Ok();
  }
  std::vector<std::string> candidates = OurFilesIn(directory + "/archive");
  for (const std::string& path : OurFilesIn(directory)) {
    candidates.push_back(path);
  }
  std::vector<lss::RecoveredFile> recovered;
  return lss::Recover(rings, candidates, PluginRecoveryContext(), &recovered);
}

}  // namespace bloom_lfs
