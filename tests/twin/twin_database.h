// Databases for twin scenarios: what RocksDB says about opening one is an answer, not an exception.

#pragma once

#include <rocksdb/db.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/database.h"
#include "tests/support/twin.h"

namespace bloom_lfs::test {

// Creates what is missing. Nothing is flushed, switched or compacted unless a scenario asks for it,
// and then on the calling thread's time.
rocksdb::Options TwinOptions(const TwinSide& side);

// For TwinOptions: logs are switched by full memtables of 32 KiB, which are never flushed.
void SwitchLogsOften(rocksdb::Options* options);

class TwinDatabase {
 public:
  enum class Mode { kReadWrite, kReadOnly, kSecondary };
  using Families = std::vector<std::string>;

  // Opens it and says with what status. A secondary keeps its own files in "<path>.secondary".
  TwinDatabase(TwinSide& side, const rocksdb::Options& options, const std::string& path,
               const Families& families = {rocksdb::kDefaultColumnFamilyName},
               Mode mode = Mode::kReadWrite);
  ~TwinDatabase();
  TwinDatabase(const TwinDatabase&) = delete;
  TwinDatabase& operator=(const TwinDatabase&) = delete;

  // False if RocksDB refused to open it.
  explicit operator bool() const { return db_ != nullptr; }
  rocksdb::DB* get() const { return db_.get(); }
  rocksdb::DB* operator->() const { return db_.get(); }
  rocksdb::ColumnFamilyHandle* family(size_t i) const { return handles_.at(i); }

  // Writes rows [from, to) of `size` bytes each into a family; throws if RocksDB refuses.
  void Write(uint64_t from, uint64_t to, size_t size = 100, size_t family = 0, bool sync = false);
  // Writes a row into a family and flushes it: begins a new log. The old one goes if no other
  // family needs it.
  void SwitchLog(size_t family = 0);
  // What the destructor does, with its status.
  rocksdb::Status Close();
  // The contents of all families.
  void SayContents(const std::string& question);

 private:
  TwinSide& side_;
  const Families families_;
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> handles_;
};

// The names in a directory, as the side's Env lists them, without RocksDB's info logs.
void SayNames(TwinSide& side, const std::string& question, const std::string& directory);

// Copies a database that is alive or was killed, as somebody does who asks the side's Env for the
// bytes. The copy is made of ordinary files.
void CopyThroughEnv(const TwinSide& side, const std::string& from, const std::string& to);

// Waits until it is so; throws after half a minute.
void WaitUntil(const std::string& what, const std::function<bool()>& is_so);

}  // namespace bloom_lfs::test
