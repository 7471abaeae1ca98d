// What differs between the versions of RocksDB that this repository builds with, 7.8 to 11.8. With
// rocksdb_features.h the only file that asks for the version; others, tests included, use what it
// offers.
//
// What later versions added to FileSystem and is not named here has defaults that suit the plugin,
// or goes to the wrapped FileSystem as it is.
#pragma once

#include <memory>

#include "plugin/rocksdb_features.h"
#include "rocksdb/db.h"

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
