// How the database of a crash test is set up, derived from one seed, so that the writer and the
// checker agree and a failure is reproduced with one number.

#pragma once

#include <rocksdb/db.h>
#include <rocksdb/options.h>

#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/workload.h"

namespace bloom_lfs::test {

struct CrashConfig {
  WorkloadShape shape;
  uint32_t threads = 1;
  size_t write_buffer_size = 0;  // small: many WALs
  int memtables_per_flush = 1;   // more than one: old WALs stay live, nothing is flushed
  bool avoid_flush_during_recovery = false;
  bool manual_wal_flush = false;  // every operation is followed by FlushWAL(false)
  bool pipelined_write = false;
  bool two_write_queues = false;
  bool track_wals = false;  // track_and_verify_wals_in_manifest
  bool recycle = false;     // recycle_log_file_num, and with it kSkipAnyCorruptedRecords
  bool precreate = false;   // async_wal_precreate, where RocksDB has it
  rocksdb::WALRecoveryMode recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;

  std::string ToString() const;
};

// Any set-up under which stock RocksDB 7.8.3 itself loses nothing when its process is killed, so no
// wal_compression: where two fragments of a record lie at the same address, one after the other, it
// does not decompress the second, and gives up the rest of the log.
//
// Recycling is tried with the plugin only, and with one column family. With several, stock's
// SyncClosedLogs can crash; and after a kill stock's reader never ends when it meets a record of
// the file's former life, which the plugin does not show it.
CrashConfig AnyCrashConfig(uint64_t seed);

// The same for a database whose synced writes are looked at without the plugin.
CrashConfig SyncedCrashConfig(uint64_t seed);

rocksdb::Options MakeOptions(const CrashConfig& config, rocksdb::Env* env);

// The default one first.
std::vector<std::string> ColumnFamilyNames(const CrashConfig& config);

}  // namespace bloom_lfs::test
