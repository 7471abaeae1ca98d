// What RocksDB's versions have, for #if. For rocksdb_versions.h, and for the loader, which can
// include nothing else of RocksDB's: it is compiled without exceptions.
#pragma once

#include "rocksdb/version.h"

// Compile-time comparison, for this file and rocksdb_versions.h.
#define BLOOM_LFS_ROCKSDB_AT_LEAST(major, minor) \
  (ROCKSDB_MAJOR > (major) || (ROCKSDB_MAJOR == (major) && ROCKSDB_MINOR >= (minor)))

// Features, for #if. Those that came between two releases have the first release that is known to
// have them.
#define BLOOM_LFS_HAS_TRACK_AND_VERIFY_WALS BLOOM_LFS_ROCKSDB_AT_LEAST(9, 11)
#define BLOOM_LFS_HAS_FLUSH_WAL_OPTIONS BLOOM_LFS_ROCKSDB_AT_LEAST(10, 8)
#define BLOOM_LFS_HAS_BLOB_DIRECT_WRITE BLOOM_LFS_ROCKSDB_AT_LEAST(11, 2)
#define BLOOM_LFS_HAS_ASYNC_WAL_PRECREATE BLOOM_LFS_ROCKSDB_AT_LEAST(11, 3)
#define BLOOM_LFS_HAS_REUSE_MANIFEST BLOOM_LFS_ROCKSDB_AT_LEAST(11, 3)
#define BLOOM_LFS_HAS_SYNC_FILE BLOOM_LFS_ROCKSDB_AT_LEAST(11, 5)
#define BLOOM_LFS_HAS_OPEN_CONTRACT BLOOM_LFS_ROCKSDB_AT_LEAST(11, 8)

// SecondaryCache as it is from 9.10 on, and as it was up to 7.x. In between it changed with nearly
// every release, and there is no flash tier. Up to 7.x it takes RTTI to tell what a look-up is for
// (flash/compressed_blocks.h).
#define BLOOM_LFS_HAS_CREATE_CONTEXT BLOOM_LFS_ROCKSDB_AT_LEAST(9, 10)
#define BLOOM_LFS_KNOWS_SECONDARY_CACHE \
  (BLOOM_LFS_HAS_CREATE_CONTEXT || !BLOOM_LFS_ROCKSDB_AT_LEAST(8, 0))
#ifdef __cpp_rtti
#define BLOOM_LFS_HAS_FLASH_TIER BLOOM_LFS_KNOWS_SECONDARY_CACHE
#else
#define BLOOM_LFS_HAS_FLASH_TIER BLOOM_LFS_HAS_CREATE_CONTEXT
#endif

// From 10.5 on RocksDB asks open files for their size; before, the method is there all the same.
#if BLOOM_LFS_ROCKSDB_AT_LEAST(10, 5)
#define BLOOM_LFS_OVERRIDES_OPEN_FILE_SIZE override
#else
#define BLOOM_LFS_OVERRIDES_OPEN_FILE_SIZE
#endif
