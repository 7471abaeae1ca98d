// A library that opens RocksDB's default Env before the program, and perhaps the preloaded library,
// has been initialised.
#include <rocksdb/env.h>

namespace {
rocksdb::Env* const kEnv = rocksdb::Env::Default();
}

rocksdb::Env* EarlyEnv() { return kEnv; }
