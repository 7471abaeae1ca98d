#include "plugin/database_locks.h"

#include <algorithm>
#include <map>

#include "lss/base/mutex.h"
#include "lss/base/per_process.h"
#include "lss/base/posix_file.h"
#include "lss/recovery/ring_directory.h"
#include "plugin/directory_id.h"
#include "plugin/sibling_files.h"

namespace bloom_lfs {
namespace {

struct Register {
  lss::Mutex mutex;
  std::map<const void*, DirectoryId> held LSS_GUARDED_BY(mutex);
};

// A forked child has none of its parent's locks.
lss::PerProcess<Register> g_all;

Register& All() { return *g_all.Get(); }

bool Holds(const std::string& directory) {
  const DirectoryId wanted = DirectoryId::Of(directory);
  Register& all = All();
  const lss::MutexLock lock(&all.mutex);
  return std::any_of(all.held.begin(), all.held.end(),
                     [&](const auto& entry) { return entry.second.Same(wanted); });
}

}  // namespace

void NoteDatabaseLocked(const void* lock, const std::string& path) {
  const DirectoryId directory = DirectoryId::Of(lss::DirectoryOf(path));
  ForgetSiblingsIn(directory);
  Register& all = All();
  const lss::MutexLock guard(&all.mutex);
  all.held[lock] = directory;
}

void NoteDatabaseUnlocked(const void* lock) {
  Register& all = All();
  const lss::MutexLock guard(&all.mutex);
  all.held.erase(lock);
}

bool HoldsDatabaseOf(const std::string& file) {
  const std::string directory = lss::DirectoryOf(file);
  return Holds(directory) || (lss::BaseNameOf(directory) == lss::kArchiveDirectoryName &&
                              Holds(lss::DirectoryOf(directory)));
}

}  // namespace bloom_lfs
