// A library that opens RocksDB's default Env before the program, and perhaps the preloaded library,
// has been initialised.
#include <rocksdb/env.h>

namespace {
rocksdb::Env* const g_env = rocksdb::Env::Default();
}

rocksdb::Env* EarlyEnv() { return g_env; }
