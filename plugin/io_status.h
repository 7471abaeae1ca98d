// The store's errors in RocksDB's words.
#pragma once

#include "lss/base/status.h"
#include "rocksdb/io_status.h"

namespace bloom_lfs {

// ENOSPC becomes NoSpace and retryable, a missing file PathNotFound, as the stock FileSystem has
// it.
rocksdb::IOStatus ToIOStatus(const lss::Status& status);

}  // namespace bloom_lfs
