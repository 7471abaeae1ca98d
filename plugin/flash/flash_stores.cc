#include "plugin/flash/flash_stores.h"

#include <filesystem>
#include <map>
#include <string>
#include <system_error>

#include "lss/base/mutex.h"
#include "lss/runtime/runtime.h"
#include "plugin/warning.h"

namespace bloom_lfs {
namespace {

// A store with the threads that work for it.
struct RunningStore {
  explicit RunningStore(const FlashOptions& flash_options)
      : options(flash_options), runtime(WarnOnce) {}
  ~RunningStore() {
    store.reset();
    runtime.Stop();
  }
  const FlashOptions options;
  lss::Runtime runtime;
  std::unique_ptr<lss::PageStore> store;
};

struct Stores {
  lss::Mutex mutex;
  std::map<std::string, std::weak_ptr<RunningStore>> by_path LSS_GUARDED_BY(mutex);
};

// Never destroyed: caches may outlive our static destructors.
Stores* AllStores() {
  static auto* const stores = new Stores;
  return stores;
}

bool SameShape(const FlashOptions& a, const FlashOptions& b) {
  return a.size == b.size && a.page_bytes == b.page_bytes;
}

// "/a/./b/" and "b" in "/a" are "/a/b".
std::string OneNameOf(const std::string& path) {
  std::error_code error;
  std::filesystem::path name = std::filesystem::absolute(path, error);
  name = error ? std::filesystem::path(path) : name.lexically_normal();
  return (name.has_filename() ? name : name.parent_path()).string();
}

}  // namespace

std::shared_ptr<lss::PageStore> SharedPageStore(const FlashOptions& options) {
  Stores* const stores = AllStores();
  const lss::MutexLock lock(&stores->mutex);
  std::weak_ptr<RunningStore>& known = stores->by_path[OneNameOf(options.path)];
  std::shared_ptr<RunningStore> running = known.lock();
  if (running == nullptr) {
    running = std::make_shared<RunningStore>(options);
    // The options are valid: what else goes wrong turns the store off.
    if (!lss::PageStore::Open(&running->runtime, options.ForStore(), &running->store).ok()) {
      WarnOnce("flash tier " + options.path + " could not be opened");
    }
    known = running;
  } else if (!SameShape(running->options, options)) {
    WarnOnce("flash tier " + options.path +
             " is open in this process with another size or page_bytes, which stay as they are");
  }
  return {running, running->store.get()};
}

}  // namespace bloom_lfs
