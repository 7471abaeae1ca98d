// RocksDB's lock of a database, for who changes its files without RocksDB, or looks at them.
#pragma once

#include <sys/types.h>

#include <string>

#include "lss/base/status.h"
#include "lss/base/unique_fd.h"

namespace bloom_lfs::tool {

// Who has RocksDB's lock of the database in `directory`. Takes none.
struct DatabaseOwner {
  bool has_lock_file = false;
  pid_t pid = 0;  // as lss::OwnerElsewhere: 0 is nobody
};
lss::Status FindDatabaseOwner(const std::string& directory, DatabaseOwner* owner);

// Held while this is there.
class DatabaseLock {
 public:
  DatabaseLock() = default;
  ~DatabaseLock();
  DatabaseLock(const DatabaseLock&) = delete;
  DatabaseLock& operator=(const DatabaseLock&) = delete;

  // Of the database in `directory`. OK without a lock, where there is none to take: a directory of
  // logs alone, or a database that was never opened. IoError: a process has it open.
  lss::Status Take(const std::string& directory);
  // Who has the lock, but for us. Asking the file would let it go.
  DatabaseOwner owner_elsewhere() const { return {fd_.valid(), 0}; }

 private:
  lss::UniqueFd fd_;
};

}  // namespace bloom_lfs::tool
