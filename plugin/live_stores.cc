#include "plugin/live_stores.h"

#include <algorithm>
#include <cerrno>
#include <map>
#include <optional>
#include <utility>

#include "lss/base/file_identity.h"
#include "lss/base/mutex.h"
#include "lss/base/per_process.h"
#include "lss/base/posix_file.h"
#include "plugin/file_kind.h"

namespace bloom_lfs {
namespace {

using Key = std::pair<uint64_t, uint64_t>;  // device, inode

// Which directory it is, whatever it is called by now. None if that could not be found out.
using Directory = std::optional<lss::FileIdentity>;

struct Entry {
  StorePtr store;
  Directory directory;  // that it was opened in
};

struct Register {
  lss::Mutex mutex;
  std::map<Key, Entry> stores LSS_GUARDED_BY(mutex);
};

// A forked child's is empty: what its parent writes is another process's.
lss::PerProcess<Register> g_live;

Register& Live() { return *g_live.Get(); }

Key KeyOf(const lss::FileIdentity& identity) { return {identity.device, identity.inode}; }

Directory DirectoryAt(const std::string& path) {
  lss::FileIdentity identity;
  uint64_t size = 0;
  return lss::IdentifyPath(path, &identity, &size).ok() ? Directory(identity) : std::nullopt;
}

std::vector<StorePtr> StoresAt(const Directory& directory) {
  Register& live = Live();
  const lss::MutexLock lock(&live.mutex);
  std::vector<StorePtr> found;
  for (const auto& [key, entry] : live.stores) {
    const bool same = directory.has_value() && entry.directory.has_value() &&
                      entry.directory->SameFile(*directory);
    if (same) {
      found.push_back(entry.store);
    }
  }
  return found;
}

std::vector<StorePtr> WalsAt(const Directory& directory) {
  std::vector<StorePtr> stores = StoresAt(directory);
  stores.erase(std::remove_if(stores.begin(), stores.end(),
                              [](const StorePtr& store) { return !IsWal(store->path()); }),
               stores.end());
  return stores;
}

lss::Status SettleOlderAt(const Directory& directory, uint64_t number, bool durable) {
  std::vector<StorePtr> stores = WalsAt(directory);
  std::sort(stores.begin(), stores.end(), [](const StorePtr& a, const StorePtr& b) {
    return WalNumber(a->path()) < WalNumber(b->path());
  });
  for (const StorePtr& store : stores) {
    if (WalNumber(store->path()) >= number || store->closed()) {
      continue;
    }
    store->Retire();
    lss::Status status = durable ? store->Sync() : store->Settle();
    // Closed meanwhile: then its file has everything.
    if (!status.ok() && status.code() != lss::Status::Code::kClosed) {
      return status;
    }
  }
  return lss::Status::Ok();
}

}  // namespace

void LiveStores::Add(const StorePtr& store) {
  const Directory directory = DirectoryAt(lss::DirectoryOf(store->path()));
  Register& live = Live();
  const lss::MutexLock lock(&live.mutex);
  live.stores[KeyOf(store->id().file)] = {store, directory};
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

std::vector<StorePtr> LiveStores::StoresIn(const std::string& directory) {
  return StoresAt(DirectoryAt(directory));
}

std::vector<StorePtr> LiveStores::WalsIn(const std::string& directory) {
  return WalsAt(DirectoryAt(directory));
}

StorePtr LiveStores::Predecessor(const std::string& directory, uint64_t number) {
  StorePtr newest;
  for (const StorePtr& store : WalsIn(directory)) {
    const uint64_t other = WalNumber(store->path());
    if (other < number && (newest == nullptr || other > WalNumber(newest->path()))) {
      newest = store;
    }
  }
  return newest;
}

lss::Status LiveStores::SettleOlder(const std::string& directory, uint64_t number, bool durable) {
  return SettleOlderAt(DirectoryAt(directory), number, durable);
}

std::function<lss::Status(bool durable)> LiveStores::SettlerOfOlder(const std::string& directory,
                                                                    uint64_t number) {
  return [directory, found = DirectoryAt(directory), number](bool durable) {
    const Directory now = found.has_value() ? found : DirectoryAt(directory);
    return now.has_value() ? SettleOlderAt(now, number, durable)
                           : lss::Status::FromErrno("stat", directory, -1, EIO);
  };
}

}  // namespace bloom_lfs
