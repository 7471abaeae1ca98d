#include "tests/crash/crash_config.h"

#include <sstream>

#include "plugin/rocksdb_versions.h"
#include "tests/support/test_env.h"

namespace bloom_lfs::test {

std::string CrashConfig::ToString() const {
  std::ostringstream out;
  out << "seed " << shape.seed << ", " << threads << " threads, " << shape.column_families
      << " column families, write buffer " << write_buffer_size << ", " << memtables_per_flush
      << " memtables per flush, sync one in " << shape.sync_one_in << ", large one in "
      << shape.large_one_in << ", recovery mode " << static_cast<int>(recovery_mode)
      << (avoid_flush_during_recovery ? ", avoid_flush_during_recovery" : "")
      << (manual_wal_flush ? ", manual_wal_flush" : "")
      << (pipelined_write ? ", pipelined_write" : "")
      << (two_write_queues ? ", two_write_queues" : "") << (track_wals ? ", track_wals" : "")
      << (recycle ? ", recycle" : "") << (precreate ? ", precreate" : "");
  return out.str();
}

CrashConfig AnyCrashConfig(uint64_t seed) {
  Random random(MixSeed(seed, 1));
  CrashConfig config;
  config.shape.seed = seed;
  config.shape.column_families = static_cast<uint32_t>(1 + random.Below(4));
  config.shape.keys_per_thread = 20 + random.Below(200);
  config.shape.large_one_in = random.OneIn(2) ? 60 : 0;
  config.shape.sync_one_in = random.OneIn(4) ? 50 : 0;
  const uint32_t threads[] = {1, 1, 2, 4};
  config.threads = threads[random.Below(4)];
  const size_t buffers[] = {64 << 10, 256 << 10, 1 << 20, 64 << 20};
  config.write_buffer_size = buffers[random.Below(4)];
  config.memtables_per_flush = random.OneIn(3) ? 1 : 4;
  config.avoid_flush_during_recovery = random.OneIn(2);
  config.manual_wal_flush = random.OneIn(4);
  config.pipelined_write = random.OneIn(4);
  config.two_write_queues = !config.pipelined_write && random.OneIn(4);
  config.track_wals = random.OneIn(4);
  config.recycle = random.OneIn(2) && config.shape.column_families == 1 && PluginUnderTest();
  if (config.recycle) {
    config.recovery_mode = rocksdb::WALRecoveryMode::kSkipAnyCorruptedRecords;
  } else if (random.OneIn(4)) {
    config.recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  }
#if BLOOM_LFS_HAS_ASYNC_WAL_PRECREATE
  config.precreate = !config.recycle && random.OneIn(2);
#endif
  return config;
}

// Without the plugin the files are judged as they are. Unsynced bytes may be missing then, which
// the two lenient recovery modes are not made for. And under two_write_queues a synced write marks
// all closed logs as synced before it syncs anything (WriteImpl, 7.8.3), so that they never are.
CrashConfig SyncedCrashConfig(uint64_t seed) {
  CrashConfig config = AnyCrashConfig(seed);
  config.shape.sync_one_in = 1 + Random(MixSeed(seed, 2)).Below(12);
  config.recycle = false;
  config.two_write_queues = false;
  config.recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  return config;
}

rocksdb::Options MakeOptions(const CrashConfig& config, rocksdb::Env* env) {
  rocksdb::Options options;
  options.env = env;
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  options.compression = rocksdb::kNoCompression;
  options.write_buffer_size = config.write_buffer_size;
  options.min_write_buffer_number_to_merge = config.memtables_per_flush;
  options.max_write_buffer_number = 2 * config.memtables_per_flush + 2;
  options.avoid_flush_during_recovery = config.avoid_flush_during_recovery;
  options.manual_wal_flush = config.manual_wal_flush;
  options.enable_pipelined_write = config.pipelined_write;
  options.two_write_queues = config.two_write_queues;
  options.track_and_verify_wals_in_manifest = config.track_wals;
  options.recycle_log_file_num = config.recycle ? 2 : 0;
#if BLOOM_LFS_HAS_ASYNC_WAL_PRECREATE
  options.async_wal_precreate = config.precreate;
#endif
  options.wal_recovery_mode = config.recovery_mode;
  // Compactions would only take time; nothing here depends on them.
  options.disable_auto_compactions = true;
  options.level0_slowdown_writes_trigger = 1 << 20;
  options.level0_stop_writes_trigger = 1 << 20;
  options.max_open_files = 100;
  return options;
}

std::vector<std::string> ColumnFamilyNames(const CrashConfig& config) {
  std::vector<std::string> names = {rocksdb::kDefaultColumnFamilyName};
  for (uint32_t i = 1; i < config.shape.column_families; ++i) {
    names.push_back("cf" + std::to_string(i));
  }
  return names;
}

}  // namespace bloom_lfs::test
