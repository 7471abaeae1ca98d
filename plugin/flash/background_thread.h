#pragma once

namespace bloom_lfs {

// Whether this is a thread of RocksDB's own, which flushes and compacts: those of its pools have
// its name in theirs. From any thread.
bool IsBackgroundThread();

}  // namespace bloom_lfs
