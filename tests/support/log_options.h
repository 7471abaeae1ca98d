// Asking for a log as RocksDB's log writer does.
#pragma once

#include <rocksdb/file_system.h>
#include <rocksdb/options.h>

#include <string>

#include "plugin/file_kind.h"

namespace bloom_lfs::test {

// For the creation that follows at once on this thread. Without it the plugin takes a log for a
// copy of one.
inline rocksdb::FileOptions LogOptions(const rocksdb::FileSystem& fs,
                                       const rocksdb::FileOptions& options = {}) {
  return fs.OptimizeForLogWrite(options, rocksdb::DBOptions());
}

// As whoever writes a file of that name would ask for it.
inline rocksdb::FileOptions OptionsFor(const std::string& path, const rocksdb::FileSystem& fs,
                                       const rocksdb::FileOptions& options) {
  return IsWal(path) ? LogOptions(fs, options) : options;
}

}  // namespace bloom_lfs::test
