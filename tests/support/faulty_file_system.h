// A FileSystem on top of another one, in which chosen operations fail once.

#pragma once

#include <rocksdb/file_system.h>

#include <memory>
#include <mutex>
#include <string>

namespace bloom_lfs::test {

enum class FaultAt {
  kNowhere,
  kLogCreation,
  kLogAppend,
  kLogAppendHalfDone,  // half of the bytes are appended before the error
  kLogFlush,
  kLogSync,
  kLogClose,
  kTableCreation,
  kTableAppend,
  kTableSync,
  kManifestAppend,
  kManifestSync,
};

// Thread safety: every method from any thread.
class Faults {
 public:
  // The next operation of this kind fails, and is not passed on.
  void FailNext(FaultAt where, const rocksdb::IOStatus& error);
  // OK, or the error if it is due now. Resets it.
  rocksdb::IOStatus Take(FaultAt where);
  // Whether the fault that was ordered last has happened.
  bool Happened() const;

 private:
  mutable std::mutex mutex_;
  FaultAt where_ = FaultAt::kNowhere;
  rocksdb::IOStatus error_;
};

std::shared_ptr<rocksdb::FileSystem> NewFaultyFileSystem(
    const std::shared_ptr<rocksdb::FileSystem>& target, const std::shared_ptr<Faults>& faults);

}  // namespace bloom_lfs::test
