// Which databases does this process hold the lock of? RocksDB allows one writer of a database, so
// while we have its LOCK no other process owns a log in its directory, whatever a ring's lock says.
//
// Thread safety: from any thread.
#pragma once

#include <string>

namespace bloom_lfs {

// RocksDB has locked the file at `path`, and calls that lock `lock`; or is about to unlock it.
void NoteDatabaseLocked(const void* lock, const std::string& path);
void NoteDatabaseUnlocked(const void* lock);

// Whether the directory of `file` (of a log in archive/: its parent) is that of a database that
// this process has locked.
bool HoldsDatabaseOf(const std::string& file);

}  // namespace bloom_lfs
