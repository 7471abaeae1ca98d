// Which blob file this is, however it is called and wherever it was copied: RocksDB gives SST files
// a name for good, and blob files none. So they get one here: a random number in their extended
// attribute "user.bloom_lfs".
//
// Thread safety: functions without state.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace bloom_lfs {

// Gives a new file its number. Where that is refused it has none.
void NameBlobFile(const std::string& path);

struct BlobIdentity {
  uint64_t id = 0;    // never 0
  uint64_t size = 0;  // bytes of the file
};

// An id that files with the same bytes may share, and no others: of the one that was given, of
// size and time of modification, and of the bytes at both ends. So a copy that keeps attribute and
// time is the same file, and one that is written over is another.
//
// `may_name`: a file without a number is given one, unless that would copy it (overlayfs). For who
// owns the file. Nothing: it has none, or cannot be read.
// REQUIRES: nobody writes the file any more.
std::optional<BlobIdentity> IdentifyBlobFile(const std::string& path, bool may_name);

}  // namespace bloom_lfs
