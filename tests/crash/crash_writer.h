// The process that gets killed: it writes, and says what it has been promised.

#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "tests/crash/crash_config.h"
#include "tests/crash/open_db.h"

namespace bloom_lfs::test {

constexpr uint32_t kCrashThreadsMax = 4;

// Lives in a shared mapping of a file, so that it survives the process without any system call
// between a promise and its record: the kill may come at any instruction.
struct Progress {
  struct Thread {
    std::atomic<uint64_t> attempted;  // operations handed to RocksDB
    std::atomic<uint64_t> acked;      // operations for which Write (and FlushWAL) returned OK
    std::atomic<uint64_t> synced;     // operations up to the last acknowledged sync
  };
  std::atomic<uint64_t> opened;  // the database is open
  std::atomic<uint64_t> done;    // every thread has written all it wanted to
  std::atomic<uint64_t> closed;  // the database is closed; by those who close it
  Thread threads[kCrashThreadsMax];

  uint64_t TotalAcked() const;
};

class ProgressFile {
 public:
  explicit ProgressFile(const std::string& path);
  ~ProgressFile();
  ProgressFile(const ProgressFile&) = delete;
  ProgressFile& operator=(const ProgressFile&) = delete;
  Progress* operator->() const { return progress_; }

 private:
  Progress* progress_;
};

// Under this key of the default column family every operation leaves its number, in one batch with
// its real work: so the state of a database names the prefix of operations that it must equal.
std::string CounterKey(uint32_t thread);

// Carries on from progress->threads[].attempted with operations of `shape`, all threads at once,
// until each has done `operations` more or written `bytes_max` bytes.
rocksdb::Status WriteOperations(OpenDb* db, const CrashConfig& config, const WorkloadShape& shape,
                                Progress* progress, uint64_t operations, uint64_t bytes_max);

// Arguments of the roles "crash_writer" and "crash_opener".
struct WriterArguments {
  std::string db_path;
  std::string progress_path;
  uint64_t config_seed = 0;
  bool synced_config = false;
  uint64_t run = 0;
  With with = With::kPlugin;

  CrashConfig Config() const;
  // Each run does something else, or a resurrected write of an earlier run could pass for its own.
  WorkloadShape RunShape() const;
  std::vector<std::string> ToStrings() const;
  static WriterArguments Parse(const std::vector<std::string>& args);
};

}  // namespace bloom_lfs::test
