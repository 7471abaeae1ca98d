#include "plugin/live_stores.h"

#include <algorithm>
#include <map>
#include <utility>

#include "lss/base/file_identity.h"
#include "lss/base/mutex.h"
#include "lss/base/per_process.h"
#include "lss/base/posix_file.h"
#include "plugin/file_kind.h"
#include "plugin/shown_file.h"

namespace bloom_lfs {
namespace {

using Key = std::pair<uint64_t, uint64_t>;  // device, inode

struct Entry {
  StorePtr store;
  DirectoryId directory;
  std::shared_ptr<ShownFile> shown;
};

struct Register {
  lss::Mutex mutex;
  std::map<Key, Entry> stores LSS_GUARDED_BY(mutex);
};

// A forked child's is empty: what its parent writes is another process's.
lss::PerProcess<Register> g_live;

Register& Live() { return *g_live.Get(); }

Key KeyOf(const lss::FileIdentity& identity) { return {identity.device, identity.inode}; }

}  // namespace

void LiveStores::Add(const StorePtr& store, const DirectoryId& directory) {
  Register& live = Live();
  const lss::MutexLock lock(&live.mutex);
  live.stores[KeyOf(store->id().file)] = {store, directory, std::make_shared<ShownFile>()};
}

void LiveStores::Add(const StorePtr& store) {
  Add(store, DirectoryId::Of(lss::DirectoryOf(store->path())));
}

void LiveStores::Remove(const StorePtr& store) {
  Register& live = Live();
  const lss::MutexLock lock(&live.mutex);
  const auto entry = live.stores.find(KeyOf(store->id().file));
  if (entry != live.stores.end() && entry->second.store == store) {
    live.stores.erase(entry);
  }
}

StorePtr LiveStores::Find(const lss::FileIdentity& identity) {
  Register& live = Live();
  const lss::MutexLock lock(&live.mutex);
  const auto entry = live.stores.find(KeyOf(identity));
  return entry == live.stores.end() ? nullptr : entry->second.store;
}

StorePtr LiveStores::FindPath(const std::string& path) {
  lss::FileIdentity identity;
  uint64_t size = 0;
  return lss::IdentifyPath(path, &identity, &size).ok() ? Find(identity) : nullptr;
}

lss::Status LiveStores::ShowLog(const std::string& path) {
  lss::FileIdentity identity;
  uint64_t size = 0;
  if (!lss::IdentifyPath(path, &identity, &size).ok()) {
    return lss::Status::Ok();
  }
  Entry found;
  {
    Register& live = Live();
    const lss::MutexLock lock(&live.mutex);
    const auto entry = live.stores.find(KeyOf(identity));
    if (entry == live.stores.end() || !IsWal(entry->second.store->path())) {
      return lss::Status::Ok();
    }
    found = entry->second;
  }
  return found.shown->Show(found.store.get());
}

bool LiveStores::HasRing(const std::string& ring_path) {
  lss::FileIdentity ring;
  uint64_t size = 0;
  if (!lss::IdentifyPath(ring_path, &ring, &size).ok()) {
    return false;
  }
  Register& live = Live();
  const lss::MutexLock lock(&live.mutex);
  for (const auto& [key, entry] : live.stores) {
    if (KeyOf(entry.store->ring_identity()) == KeyOf(ring)) {
      return true;
    }
  }
  return false;
}

std::vector<StorePtr> LiveStores::StoresIn(const DirectoryId& directory) {
  std::vector<StorePtr> found;
  Register& live = Live();
  const lss::MutexLock lock(&live.mutex);
  for (const auto& [key, entry] : live.stores) {
    if (entry.directory.Same(directory)) {
      found.push_back(entry.store);
    }
  }
  return found;
}

std::vector<StorePtr> LiveStores::OlderWals(const DirectoryId& directory, uint64_t number) {
  std::vector<StorePtr> older = StoresIn(directory);
  older.erase(std::remove_if(older.begin(), older.end(),
                             [&](const StorePtr& store) {
                               return !IsWal(store->path()) || WalNumber(store->path()) >= number;
                             }),
              older.end());
  std::sort(older.begin(), older.end(), [](const StorePtr& a, const StorePtr& b) {
    return WalNumber(a->path()) < WalNumber(b->path());
  });
  return older;
}

bool LiveStores::HasNewerWal(const DirectoryId& directory, uint64_t number) {
  Register& live = Live();
  const lss::MutexLock lock(&live.mutex);
  return std::any_of(live.stores.begin(), live.stores.end(), [&](const auto& key_and_entry) {
    const Entry& entry = key_and_entry.second;
    return entry.directory.Same(directory) && WalNumber(entry.store->path()) > number;
  });
}

}  // namespace bloom_lfs
