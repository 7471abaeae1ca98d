// Which files are ours, by base name: options tags get lost behind legacy Env wrappers, names do
// not.
#pragma once

#include <cstdint>
#include <string>

namespace bloom_lfs {

// "000004.log", in any directory (archive/, lost/, X.tmp/ too). Info logs ("LOG", "LOG.old.123")
// and other look-alikes are not.
bool IsWal(const std::string& path);
// "000004.blob", in any directory.
bool IsBlob(const std::string& path);
// Either of them, or one that the deletion scheduler has renamed ("000004.log.trash",
// "000004.blob1.trash").
bool IsOursOrTrash(const std::string& path);
// The number in a WAL's name; 0 if it is not a WAL's.
uint64_t WalNumber(const std::string& path);

}  // namespace bloom_lfs
