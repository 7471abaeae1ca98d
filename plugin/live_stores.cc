#include "plugin/live_stores.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

#include "plugin/file_kind.h"

namespace bloom_lfs {
namespace {

using Key = std::pair<uint64_t, uint64_t>;  // device, inode

struct Register {
  std::mutex mutex;
  std::map<Key, StorePtr> stores;
};

// Never destroyed: handles may be closed by later exit handlers.
Register& Live() {
  static auto* const live = new Register;
  return *live;
}

Key KeyOf(const lss::FileIdentity& identity) { return {identity.device, identity.inode}; }

}  // namespace

void LiveStores::Add(const StorePtr& store) {
  Register& live = Live();
  const std::lock_guard<std::mutex> lock(live.mutex);
  live.stores[KeyOf(store->identity())] = store;
}

void LiveStores::Remove(const StorePtr& store) {
  Register& live = Live();
  const std::lock_guard<std::mutex> lock(live.mutex);
  const auto entry = live.stores.find(KeyOf(store->identity()));
  if (entry != live.stores.end() && entry->second == store) {
    live.stores.erase(entry);
  }
}

StorePtr LiveStores::Find(const lss::FileIdentity& identity) {
  Register& live = Live();
  const std::lock_guard<std::mutex> lock(live.mutex);
  const auto entry = live.stores.find(KeyOf(identity));
  return entry == live.stores.end() ? nullptr : entry->second;
}

StorePtr LiveStores::FindPath(const std::string& path) {
  lss::FileIdentity identity;
  uint64_t size = 0;
  return lss::IdentifyPath(path, &identity, &size).ok() ? Find(identity) : nullptr;
}

bool LiveStores::HasRing(const std::string& ring_path) {
  Register& live = Live();
  const std::lock_guard<std::mutex> lock(live.mutex);
  return std::any_of(live.stores.begin(), live.stores.end(),
                     [&](const auto& entry) { return entry.second->ring_path() == ring_path; });
}

std::vector<StorePtr> LiveStores::WalsIn(const std::string& directory) {
  Register& live = Live();
  const std::lock_guard<std::mutex> lock(live.mutex);
  std::vector<StorePtr> found;
  for (const auto& entry : live.stores) {
    if (IsWal(entry.second->path()) && lss::DirectoryOf(entry.second->path()) == directory) {
      found.push_back(entry.second);
    }
  }
  return found;
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
  std::vector<StorePtr> stores = WalsIn(directory);
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

}  // namespace bloom_lfs
