// What differs between the versions of RocksDB that this repository builds with: 7.8 and 9.10,
// checked by tests/debian13, and what is known of later ones. The only file that asks for the
// version; others, tests included, use what it offers.
//
// Of the plugin itself only wal_file asks. Everything else overrides what every version has, with
// parameters that every version has, and compiles as C++17 and as C++20, which RocksDB 10.10 and
// later ask of their users. What later versions added to FileSystem goes to the wrapped one;
// SyncFile(path), from 11.5 on, may do so as long as RocksDB calls it for ingested tables only.
#pragma once

#include "rocksdb/db.h"
#include "rocksdb/version.h"

// Compile-time comparison, for this file.
#define BLOOM_LFS_ROCKSDB_AT_LEAST(major, minor) \
  (ROCKSDB_MAJOR > (major) || (ROCKSDB_MAJOR == (major) && ROCKSDB_MINOR >= (minor)))

namespace bloom_lfs {

// Up to 7.9 LockWAL flushes the log's handle; later versions call nothing, unless the log's buffer
// is flushed by hand.
inline constexpr bool kLockWalFlushesTheLog = !BLOOM_LFS_ROCKSDB_AT_LEAST(7, 10);

// Takes back one DisableFileDeletions. Up to 8.x it could be asked to take back all of them.
inline rocksdb::Status EnableFileDeletions(rocksdb::DB* db) {
#if BLOOM_LFS_ROCKSDB_AT_LEAST(9, 0)
  return db->EnableFileDeletions();
#else
  return db->EnableFileDeletions(/*force=*/false);
#endif
}

}  // namespace bloom_lfs
