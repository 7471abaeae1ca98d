// What differs between the versions of RocksDB that this repository builds with, 7.8 to 11.8. The
// only file that asks for the version; others, tests included, use what it offers.
//
// What later versions added to FileSystem and is not named here has defaults that suit the plugin,
// or goes to the wrapped FileSystem as it is.
#pragma once

#include <memory>

#include "rocksdb/db.h"
#include "rocksdb/version.h"

// Compile-time comparison, for this file.
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

namespace bloom_lfs {

// Up to 7.9 LockWAL flushes the log's handle; later versions call nothing, unless the log's buffer
// is flushed by hand.
inline constexpr bool kLockWalFlushesTheLog = !BLOOM_LFS_ROCKSDB_AT_LEAST(7, 10);

// The last argument of DB::Open and its like, which fill a DB* or, from 11.0 on, a unique_ptr:
// *result is set when the call's full expression ends.
class OpenInto {
 public:
  explicit OpenInto(std::unique_ptr<rocksdb::DB>* result) : result_(result) {}
#if BLOOM_LFS_ROCKSDB_AT_LEAST(11, 0)
  // NOLINTNEXTLINE(google-explicit-constructor): it stands for the argument
  operator std::unique_ptr<rocksdb::DB>*() { return result_; }
#else
  ~OpenInto() { result_->reset(raw_); }
  OpenInto(const OpenInto&) = delete;
  OpenInto& operator=(const OpenInto&) = delete;
  // NOLINTNEXTLINE(google-explicit-constructor): it stands for the argument
  operator rocksdb::DB**() { return &raw_; }
#endif

 private:
  std::unique_ptr<rocksdb::DB>* const result_;
#if !BLOOM_LFS_ROCKSDB_AT_LEAST(11, 0)
  rocksdb::DB* raw_ = nullptr;
#endif
};

// Takes back one DisableFileDeletions. Up to 8.x it could be asked to take back all of them.
inline rocksdb::Status EnableFileDeletions(rocksdb::DB* db) {
#if BLOOM_LFS_ROCKSDB_AT_LEAST(9, 0)
  return db->EnableFileDeletions();
#else
  return db->EnableFileDeletions(/*force=*/false);
#endif
}

}  // namespace bloom_lfs
