// A database of numbered rows, for children that report in words what became of it.

#pragma once

#include <rocksdb/db.h>

#include <memory>
#include <string>

#include "tests/support/test_env.h"

namespace bloom_lfs::test {

// Small logs, many of them; or, with `one_log`, everything in one log and nothing flushed.
rocksdb::Status OpenRows(const TestEnv& env, const std::string& path,
                         std::unique_ptr<rocksdb::DB>* result, bool one_log = false);
rocksdb::Status OpenRowsForReading(const TestEnv& env, const std::string& path,
                                   std::unique_ptr<rocksdb::DB>* result);

// Writes row number `row`: 10 to 100,000 bytes that follow from the number.
rocksdb::Status PutRow(rocksdb::DB* db, int row, bool sync);

// "ok" if rows [0, rows) are there and right; otherwise which is not.
std::string CheckRows(rocksdb::DB* db, int rows);

}  // namespace bloom_lfs::test
