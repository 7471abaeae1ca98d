// Who has made the numbered files of a directory of logs? Every file that RocksDB makes in it takes
// a higher number than those before (logs, tables, blobs, MANIFEST-, OPTIONS-), and all that this
// process makes goes through our FileSystem. So it is noted in the rings of the directory, without
// a system call, how high the numbers of this process go: what is above was made by somebody else,
// after this process died. No clock is asked.
//
// Thread safety: from any thread.
#pragma once

#include <cstdint>
#include <string>

#include "lss/ring/ring_view.h"
#include "plugin/directory_id.h"
#include "plugin/live_stores.h"

namespace bloom_lfs {

// The number in the name of a file that takes one from RocksDB's common counter, 0 in any other.
uint64_t SiblingNumber(const std::string& path);

// Before a file is made at `path`, or gets that name: notes its number. Dead writers' logs have
// been brought to their files before: what is noted here came after them.
void NoteSibling(const std::string& path);

// The database in `directory` was locked by this process: what is there already may have been made
// by others meanwhile, under numbers that this process had used.
void ForgetSiblingsIn(const DirectoryId& directory);

// A log or blob file was opened in `directory`: its ring says which numbers this process has made
// there so far.
void NoteSiblingsIn(const StorePtr& store, const DirectoryId& directory);

// Whether `file`'s directory holds numbered data that neither the ring's owner nor this process has
// made: a table, a blob file with bytes or a log with rows. Whoever has only looked has made a
// MANIFEST and a log without rows: that proves nothing of a database with one column family.
bool SomebodyElseWasHere(const std::string& file, const lss::RingView& ring);

}  // namespace bloom_lfs
