#include "plugin/database_locks.h"

#include <unistd.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "lss/base/file_identity.h"
#include "lss/base/mutex.h"
#include "lss/base/per_process.h"
#include "lss/base/posix_file.h"

namespace bloom_lfs {
namespace {

// A forked child has its parent's memory and none of its locks.
using Key = std::tuple<pid_t, uint64_t, uint64_t>;  // process, device, inode of the directory

struct Register {
  lss::Mutex mutex;
  std::map<const void*, Key> held LSS_GUARDED_BY(mutex);
};

lss::PerProcess<Register> g_all;

Register& All() { return *g_all.Get(); }

bool FindDirectory(const std::string& directory, Key* key) {
  lss::FileIdentity identity;
  uint64_t size = 0;
  const bool found = lss::IdentifyPath(directory, &identity, &size).ok();
  *key = {getpid(), identity.device, identity.inode};
  return found;
}

bool Holds(const std::string& directory) {
  Key key;
  if (!FindDirectory(directory, &key)) {
    return false;
  }
  Register& all = All();
  const lss::MutexLock lock(&all.mutex);
  return std::any_of(all.held.begin(), all.held.end(),
                     [&](const auto& entry) { return entry.second == key; });
}

}  // namespace

void NoteDatabaseLocked(const void* lock, const std::string& path) {
  Key key;
  if (FindDirectory(lss::DirectoryOf(path), &key)) {
    Register& all = All();
    const lss::MutexLock guard(&all.mutex);
    all.held[lock] = key;
  }
}

void NoteDatabaseUnlocked(const void* lock) {
  Register& all = All();
  const lss::MutexLock guard(&all.mutex);
  all.held.erase(lock);
}

bool HoldsDatabaseOf(const std::string& file) {
  const std::string directory = lss::DirectoryOf(file);
  return Holds(directory) ||
         (lss::BaseNameOf(directory) == "archive" && Holds(lss::DirectoryOf(directory)));
}

}  // namespace bloom_lfs
