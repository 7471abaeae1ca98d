#include "plugin/directory_recovery.h"

#include <unistd.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "lss/base/file_identity.h"
#include "lss/base/posix_file.h"
#include "plugin/blob_tail.h"
#include "plugin/database_locks.h"
#include "plugin/figures/stream_figures_source.h"
#include "plugin/file_kind.h"
#include "plugin/live_stores.h"
#include "plugin/log_beginning.h"
#include "plugin/sibling_files.h"
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

// As the scanners of RocksDB's formats read.
TailReadFunction ReadThrough(const lss::StreamReader& reader) {
  return [reader](uint64_t offset, size_t n, char* scratch) -> int64_t {
    size_t got = 0;
    const lss::Status status = reader(offset, n, scratch, &got);
    return TailReadResult(status, got);
  };
}

lss::Status ScanBlob(const TailReadFunction& read, const std::string& name, uint64_t size,
                     lss::ScannedTail* result) {
  const BlobTail tail = FindBlobTail(read, size);
  if (tail.error != 0) {
    return lss::Status::FromErrno("read", name, static_cast<int64_t>(tail.end), tail.error);
  }
  result->known = tail.SafeToTrim();
  result->end = result->known ? tail.end : size;
  result->whole = tail.stop == BlobTailStop::kFooter || tail.stop == BlobTailStop::kEndOfFile ||
                  tail.stop == BlobTailStop::kTornRecord;
  result->stop = tail.end;
  result->stop_end = tail.stop_end;
  result->description = tail.ToString();
  return lss::Status::Ok();
}

lss::Status ScanWal(const TailReadFunction& read, const std::string& name, uint64_t size,
                    const lss::ScanRule& rule, lss::ScannedTail* result) {
  std::optional<uint32_t> number;
  if (IsWal(name)) {
    number = static_cast<uint32_t>(WalNumber(name));
  }
  const WalTail tail =
      FindWalTail(read, size, number, {rule.judged_above, rule.gaps_below, rule.lap});
  if (tail.error != 0) {
    return lss::Status::FromErrno("read", name, static_cast<int64_t>(tail.end), tail.error);
  }
  result->known = tail.SafeToTrim();
  result->end = result->known ? tail.end : size;
  result->whole = tail.stop == WalTailStop::kEndOfFile || tail.stop == WalTailStop::kTornRecord;
  result->stop = tail.stop_offset;
  result->stop_end = tail.stop_end;
  result->last_number = tail.last_sequence;
  result->in_succession = IsWal(name);
  result->description = tail.ToString();
  return lss::Status::Ok();
}

lss::Status Scan(const lss::StreamReader& reader, const std::string& name, lss::Address size,
                 const lss::ScanRule& rule, lss::ScannedTail* result) {
  const TailReadFunction read = ReadThrough(reader);
  *result = {};
  return IsBlob(name) ? ScanBlob(read, name, size, result)
                      : ScanWal(read, name, size, rule, result);
}

// The sequence number of the first record of a log that nobody of us has written; 0 if there is
// none that can be read.
uint64_t FirstSequence(const std::string& path) {
  lss::FileIdentity identity;
  uint64_t size = 0;
  const bool ours = !lss::IdentifyPath(path, &identity, &size).ok() ||
                    !lss::FindRing(path, identity.inode).empty();
  return ours ? 0 : ScanLogBeginning(path).first_sequence;
}

// Whether nobody has gone on without this ring. Merely by opening the database stock RocksDB
// decides what an old log holds; the ring's bytes would come back with sequence numbers that were
// given out again, and to some column families only.
bool IsCurrent(const std::string& file, const lss::RingView& ring, uint64_t last_sequence) {
  if (SomebodyElseWasHere(file, ring)) {
    return false;
  }
  const uint64_t number = WalNumber(file);
  if (number == 0 || last_sequence == 0) {
    return true;
  }
  const std::vector<std::string> files = OurFilesIn(lss::DirectoryOf(file));
  return std::none_of(files.begin(), files.end(), [&](const std::string& other) {
    const uint64_t first = WalNumber(other) > number ? FirstSequence(other) : 0;
    // The same number proves nothing: what prepares a transaction takes none.
    return first > 0 && first < last_sequence;
  });
}

// Of the logs with lower numbers, in the same directory.
bool EarlierLogsAreWhole(const std::string& file) {
  lss::RecoveryContext context = PluginRecoveryContext();
  context.witness.earlier_whole = nullptr;  // they are all asked here
  const uint64_t number = WalNumber(file);
  for (const std::string& other : OurFilesIn(lss::DirectoryOf(file))) {
    lss::FileIdentity identity;
    uint64_t size = 0;
    if (WalNumber(other) == 0 || WalNumber(other) >= number ||
        !lss::IdentifyPath(other, &identity, &size).ok() || LiveStores::Find(identity) != nullptr) {
      continue;
    }
    const std::string ring = lss::FindRing(other, identity.inode);
    bool whole = true;
    if (!ring.empty() && (!lss::IsWholeStream(other, ring, context, &whole).ok() || !whole)) {
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

lss::RecoveryContext PluginRecoveryContext() {
  return {Scan, {IsCurrent, EarlierLogsAreWhole, HoldsDatabaseOf}, WarnOnce};
}

lss::Status RecoverDirectory(const std::string& directory) {
  const std::string rings = directory + "/" + lss::kRingDirectoryName;
  if (access(rings.c_str(), F_OK) != 0 || OnlyRingsWeWrite(rings)) {
    return lss::Status::Ok();
  }
  std::vector<std::string> candidates = OurFilesIn(directory + "/" + lss::kArchiveDirectoryName);
  for (const std::string& path : OurFilesIn(directory)) {
    candidates.push_back(path);
  }
  std::vector<lss::RecoveredFile> recovered;
  lss::Status status = lss::Recover(rings, candidates, PluginRecoveryContext(), &recovered);
  for (const lss::RecoveredFile& file : recovered) {
    if (file.bytes_replayed > 0) {
      CountRecovered(file.bytes_replayed);
    }
  }
  return status;
}

}  // namespace bloom_lfs
