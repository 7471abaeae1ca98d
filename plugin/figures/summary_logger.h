// RocksDB's LOG with one line at its end: what the plugin has done in this process.
//
// Thread safety: that of the logger it wraps.
#pragma once

#include <rocksdb/env.h>

#include <memory>
#include <string>

#include "lss/figures/board_copy.h"

namespace bloom_lfs {

// What streams and other sources (figures.h) say of themselves. Empty: nothing has been done.
std::string SummaryOf(const lss::BoardCopy& board);

// Writes to `target`, and before its close the summary.
std::shared_ptr<rocksdb::Logger> WithSummary(std::shared_ptr<rocksdb::Logger> target);

}  // namespace bloom_lfs
