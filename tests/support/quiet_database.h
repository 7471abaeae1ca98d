// Databases for twin tests. Nothing happens in them that the test has not asked for, so that two
// runs hand out the same file numbers.

#pragma once

#include <rocksdb/db.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/support/database.h"
#include "tests/support/twin.h"

namespace bloom_lfs::test {

// No compression, no automatic flush or compaction; then `tweak`.
rocksdb::Options QuietOptions(rocksdb::Env* env, const Tweak& tweak = nullptr);

enum class Access { kReadWrite, kReadOnly };

// A database with the default column family and others. Throws if it cannot be opened.
class QuietDatabase {
 public:
  QuietDatabase(const rocksdb::Options& options, const std::string& path,
                const std::vector<std::string>& more_families = {},
                Access access = Access::kReadWrite);
  ~QuietDatabase();
  QuietDatabase(const QuietDatabase&) = delete;
  QuietDatabase& operator=(const QuietDatabase&) = delete;

  rocksdb::DB* get() const { return db_.get(); }
  rocksdb::DB* operator->() const { return db_.get(); }
  // 0 is the default column family.
  rocksdb::ColumnFamilyHandle* family(size_t i) const { return families_.at(i); }

  // Says what is in every column family.
  void SayContents(TwinSide& side, const std::string& when) const;
  // Flushes one column family and waits until the files that this made obsolete are gone.
  void Flush(size_t family = 0);

 private:
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> families_;
};

// Waits until flushes and compactions, and the deletions that end them, are over. A call that waits
// for a flush returns before the deletions.
void AwaitQuiet(rocksdb::DB* db);
// Returns when the files that background threads are to delete are gone.
void AwaitDeletions(rocksdb::DB* db);

// Rows [from, to) to one column family: 1 to size_max bytes that follow from row and version. Every
// `sync_every`th is synced; 0: none.
struct Rows {
  uint32_t from = 0;
  uint32_t to = 0;
  uint32_t version = 0;
  uint64_t size_max = 10000;
  uint32_t sync_every = 0;
};
void PutRows(rocksdb::DB* db, rocksdb::ColumnFamilyHandle* family, const Rows& rows);
std::string RowKey(uint32_t row);
std::string RowValue(uint32_t row, uint32_t version, uint64_t size_max);

// Names of the blob files in `directory`, in order. Looks at nothing else: rings come and go.
std::vector<std::string> BlobFiles(const std::string& directory);

// Says which WALs there are, how long they are and whether they are archived.
void SayWals(TwinSide& side, const std::string& when, rocksdb::DB* db);

}  // namespace bloom_lfs::test
