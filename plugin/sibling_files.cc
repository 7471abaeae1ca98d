#include "plugin/sibling_files.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <vector>

#include "lss/base/file_identity.h"
#include "lss/base/mutex.h"
#include "lss/base/per_process.h"
#include "lss/base/posix_file.h"
#include "plugin/file_kind.h"
#include "plugin/log_beginning.h"
#include "plugin/number_set.h"

namespace bloom_lfs {
namespace {

constexpr char kOptionsPrefix[] = "OPTIONS-";

struct Register {
  lss::Mutex mutex;
  // What this process has made.
  std::map<DirectoryId, NumberSet> directories LSS_GUARDED_BY(mutex);
};

lss::PerProcess<Register> g_all;

Register& All() { return *g_all.Get(); }

NumberSet MadeIn(const DirectoryId& directory) {
  Register& all = All();
  const lss::MutexLock lock(&all.mutex);
  const auto found = all.directories.find(directory);
  return found == all.directories.end() ? NumberSet() : found->second;
}

// Of a blob file or a log. One that cannot be asked does.
bool HoldsSomething(const std::string& path) {
  if (IsWal(path)) {
    return MayHoldRows(path);
  }
  lss::FileIdentity identity;
  uint64_t size = 0;
  return !lss::IdentifyPath(path, &identity, &size).ok() || size > 0;
}

// Whether the database in `directory` has one column family, by its newest options. Merely by
// opening a database, stock RocksDB decides which logs its families need still: bytes that came
// back to a log would reach some of them and not the others.
bool HasOneFamily(const std::string& directory, const std::vector<std::string>& names) {
  std::string newest;
  for (const std::string& name : names) {
    const bool is_options = name.rfind(kOptionsPrefix, 0) == 0 && SiblingNumber(name) > 0;
    newest = is_options && SiblingNumber(name) > SiblingNumber(newest) ? name : newest;
  }
  std::ifstream in(directory + "/" + newest);
  int families = 0;
  for (std::string line; std::getline(in, line);) {
    families += line.rfind("[CFOptions ", 0) == 0 ? 1 : 0;
  }
  return families == 1;
}

bool IsTable(const std::string& name) {
  const size_t dot = name.rfind('.');
  const std::string suffix = dot == std::string::npos ? "" : name.substr(dot);
  return suffix == ".sst" || suffix == ".ldb";
}

// "123" in "123" or "123.suffix"; 0 if there is no such thing.
uint64_t Number(const std::string& text, const std::vector<std::string>& suffixes) {
  const size_t digits = text.find_first_not_of("0123456789");
  const std::string suffix = digits == std::string::npos ? "" : text.substr(digits);
  const bool known = std::find(suffixes.begin(), suffixes.end(), suffix) != suffixes.end();
  return known && digits != 0 ? std::strtoull(text.c_str(), nullptr, 10) : 0;
}

}  // namespace

uint64_t SiblingNumber(const std::string& path) {
  static const std::string manifest = "MANIFEST-";
  static const std::string options = kOptionsPrefix;
  const std::string name = lss::BaseNameOf(path);
  if (name.rfind(manifest, 0) == 0) {
    return Number(name.substr(manifest.size()), {""});
  }
  if (name.rfind(options, 0) == 0) {
    return Number(name.substr(options.size()), {"", ".dbtmp"});
  }
  return Number(name, {".log", ".sst", ".ldb", ".blob", ".dbtmp"});
}

void NoteSibling(const std::string& path) {
  const uint64_t number = SiblingNumber(path);
  if (number == 0) {
    return;
  }
  const DirectoryId directory = DirectoryId::Of(lss::DirectoryOf(path));
  if (!directory.known()) {
    return;
  }
  {
    Register& all = All();
    const lss::MutexLock lock(&all.mutex);
    all.directories[directory].Add(number);
  }
  for (const StorePtr& store : LiveStores::StoresIn(directory)) {
    store->NoteSibling(number);
  }
}

void ForgetSiblingsIn(const DirectoryId& directory) {
  Register& all = All();
  const lss::MutexLock lock(&all.mutex);
  all.directories.erase(directory);
}

void NoteSiblingsIn(const StorePtr& store, const DirectoryId& directory) {
  store->NoteSibling(MadeIn(directory).Max());
}

bool SomebodyElseWasHere(const std::string& file, const lss::RingView& ring) {
  const std::string directory = lss::DirectoryOf(file);
  const NumberSet ours = MadeIn(DirectoryId::Of(directory));
  std::vector<std::string> names;
  (void)lss::ListDirectory(directory, &names);
  bool looked = false;
  for (const std::string& name : names) {
    const uint64_t number = SiblingNumber(name);
    if (number <= ring.sibling_max() || ours.Contains(number)) {
      continue;
    }
    const bool may_be_empty = IsWal(name) || IsBlob(name);
    if (IsTable(name) || (may_be_empty && HoldsSomething(directory + "/" + name))) {
      return true;
    }
    looked = looked || !may_be_empty;
  }
  return looked && !HasOneFamily(directory, names);
}

}  // namespace bloom_lfs
