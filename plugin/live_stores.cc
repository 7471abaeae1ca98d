#include "plugin/live_stores.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

#include "lss/base/file_identity.h"
#include "lss/base/posix_file.h"
#include "plugin/file_kind.h"

namespace bloom_lfs {
namespace {

using Key = std::pair<uint64_t, uint64_t>;  // device, inode

struct Entry {
  StorePtr store;
  Key directory;  // that it was opened in, whatever it is called by now
};

struct Register {
  std::mutex mutex;
  std::map<Key, Entry> stores;
};

// Never destroyed: handles may be closed by later exit handlers.
Register& Live() {
  static auto* const live = new Register;
  return *live;
}

Key KeyOf(const lss::FileIdentity& identity) { return {identity.device, identity.inode}; }

// Inode 0, which is no file's, if there is nothing at `path`.
Key KeyAt(const std::string& path) {
  lss::FileIdentity identity;
  uint64_t size = 0;
  return lss::IdentifyPath(path, &identity, &size).ok() ? KeyOf(identity) : Key();
}

std::vector<StorePtr> WalsAt(const Key& directory) {
  Register& live = Live();
  const std::lock_guard<std::mutex> lock(live.mutex);
  std::vector<StorePtr> found;
  for (const auto& [key, entry] : live.stores) {
    if (entry.directory == directory && IsWal(entry.store->path())) {
      found.push_back(entry.store);
    }
  }
  return found;
}

lss::Status SettleOlderAt(const Key& directory, uint64_t number, bool durable) {
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
  const Key directory = KeyAt(lss::DirectoryOf(store->path()));
  Register& live = Live();
  const std::lock_guard<std::mutex> lock(live.mutex);
  live.stores[KeyOf(store->id().file)] = {store, directory};
}

void LiveStores::Remove(const StorePtr& store) {
  Register& live = Live();
  const std::lock_guard<std::mutex> lock(live.mutex);
  const auto entry = live.stores.find(KeyOf(store->id().file));
  if (entry != live.stores.end() && entry->second.store == store) {
    live.stores.erase(entry);
  }
}

StorePtr LiveStores::Find(const lss::FileIdentity& identity) {
  Register& live = Live();
  const std::lock_guard<std::mutex> lock(live.mutex);
  const auto entry = live.stores.find(KeyOf(identity));
  return entry == live.stores.end() ? nullptr : entry->second.store;
}

StorePtr LiveStores::FindPath(const std::string& path) {
  lss::FileIdentity identity;
  uint64_t size = 0;
  return lss::IdentifyPath(path, &identity, &size).ok() ? Find(identity) : nullptr;
}

bool LiveStores::HasRing(const std::string& ring_path) {
  const Key ring = KeyAt(ring_path);
  Register& live = Live();
  const std::lock_guard<std::mutex> lock(live.mutex);
  return std::any_of(live.stores.begin(), live.stores.end(), [&](const auto& entry) {
    return KeyOf(entry.second.store->ring_identity()) == ring;
  });
}

std::vector<StorePtr> LiveStores::WalsIn(const std::string& directory) {
  return WalsAt(KeyAt(directory));
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
  return SettleOlderAt(KeyAt(directory), number, durable);
}

std::function<lss::Status(bool durable)> LiveStores::SettlerOfOlder(const std::string& directory,
                                                                    uint64_t number) {
  return
      [at = KeyAt(directory), number](bool durable) { return SettleOlderAt(at, number, durable); };
}

}  // namespace bloom_lfs
