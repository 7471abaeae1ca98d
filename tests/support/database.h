// A database in one line, and rows in it that can be told from any others.

#pragma once

#include <rocksdb/db.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/test_env.h"

namespace bloom_lfs::test {

using Tweak = std::function<void(rocksdb::Options*)>;

// Throws std::runtime_error with the message of a status that is not OK.
void Require(const rocksdb::Status& s);

// Whether this build of RocksDB can compress so.
bool Supports(rocksdb::CompressionType type);

// Column families "default" and "pinned". Nothing is flushed or compacted unless a test asks.
class Database {
 public:
  enum class Mode { kReadWrite, kReadOnly, kSecondary };

  // Throws if it cannot be opened. A secondary keeps its own files in "<path>.secondary".
  Database(const std::string& path, With with, const Tweak& tweak = nullptr,
           Mode mode = Mode::kReadWrite);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  rocksdb::DB* get() const { return db_.get(); }
  rocksdb::DB* operator->() const { return db_.get(); }
  rocksdb::Env* env() const { return env_.get(); }
  rocksdb::ColumnFamilyHandle* pinned() const { return families_[1]; }

  // Writes rows [from, to), a value's contents and size following from row and version. Row i goes
  // to the family "pinned" if i is odd.
  void Write(uint32_t from, uint32_t to, uint32_t version = 0, bool sync = false);

  // Begins a new log and leaves the old one live: "pinned" has unflushed rows in it.
  void SwitchLog();

  // Whether rows [from, to) are there in this version; says which is not.
  std::string Missing(uint32_t from, uint32_t to, uint32_t version = 0) const;

 private:
  rocksdb::ColumnFamilyHandle* Family(uint32_t row) const { return families_[row % 2]; }

  TestEnv env_;  // outlives the database
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> families_;
};

rocksdb::Options DatabaseOptions(rocksdb::Env* env, const Tweak& tweak);
std::vector<rocksdb::ColumnFamilyDescriptor> DatabaseFamilies(const rocksdb::Options& options);

}  // namespace bloom_lfs::test
