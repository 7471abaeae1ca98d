// A database with its column families and its Env, closed as one.

#pragma once

#include <rocksdb/db.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/crash/crash_config.h"
#include "tests/support/test_env.h"

namespace bloom_lfs::test {

class OpenDb {
 public:
  enum class Mode { kReadWrite, kReadOnly };

  // status() tells whether it worked.
  OpenDb(const std::string& path, const CrashConfig& config, With with, Mode mode);
  ~OpenDb();
  OpenDb(const OpenDb&) = delete;
  OpenDb& operator=(const OpenDb&) = delete;

  const rocksdb::Status& status() const { return status_; }
  rocksdb::DB* operator->() const { return db_.get(); }
  rocksdb::ColumnFamilyHandle* family(uint32_t index) const { return families_[index]; }
  uint32_t families() const { return static_cast<uint32_t>(families_.size()); }

 private:
  TestEnv env_;  // outlives the database
  rocksdb::Status status_;
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> families_;
};

}  // namespace bloom_lfs::test
