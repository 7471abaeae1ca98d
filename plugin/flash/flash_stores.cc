#include "plugin/flash/flash_stores.h"

#include <chrono>
#include <filesystem>
#include <map>
#include <string>
#include <system_error>

#include "lss/base/fork_guard.h"
#include "lss/base/mutex.h"
#include "lss/base/per_process.h"
#include "lss/device/remote_device.h"
#include "lss/runtime/runtime.h"
#include "plugin/flash/flash_figures.h"
#include "plugin/patience.h"
#include "plugin/warning.h"

namespace bloom_lfs {
namespace {

// Stores at one path, one after the other: who opens waits for who closes.
class Turns {
 public:
  void Begin() {
    const lss::MutexLock lock(&mutex_);
    while (busy_) {
      changed_.Wait(&mutex_);
    }
    busy_ = true;
  }
  void End() {
    const lss::MutexLock lock(&mutex_);
    busy_ = false;
    changed_.NotifyAll();
  }

 private:
  lss::Mutex mutex_;
  lss::CondVar changed_;
  bool busy_ LSS_GUARDED_BY(mutex_) = false;
};

// A store with the threads that work for it.
struct RunningStore {
  RunningStore(const FlashOptions& flash_options, std::shared_ptr<Turns> turns_in)
      : options(flash_options), turns(std::move(turns_in)), runtime(WarnOnce) {}
  ~RunningStore() {
    figures.reset();
    store.reset();
    runtime.Stop();
    if (has_turn) {
      turns->End();
    }
  }
  // On the store's thread.
  void AwaitTurn() {
    turns->Begin();
    has_turn = true;
  }
  const lss::ForkGuard fork_guard;
  const FlashOptions options;
  const std::shared_ptr<Turns> turns;
  lss::Runtime runtime;
  bool has_turn = false;  // the store's thread sets it, which has ended when it is read
  std::unique_ptr<lss::PageStore> store;
  std::unique_ptr<FigureSource> figures;
};

// RocksDB's closing waits so long for a tier that does not get on: its disk hangs.
constexpr auto kCloseWithin = std::chrono::seconds(5);

// What the closing of a store changes, as long as its disk answers.
uint64_t ProgressOf(const lss::PageStore& store) {
  const lss::PageFigures figures = store.figures();
  return figures.written_bytes + figures.recovery_read_bytes;
}

// What is left of it when the disk hangs belongs to the thread that waits for it.
void CloseStore(RunningStore* store) {
  const std::shared_ptr<RunningStore> shared(store);
  if (shared->fork_guard.InForkedChild() || shared->store == nullptr) {
    return;
  }
  shared->figures.reset();  // the path may be opened anew before it is closed
  const Patience patience = {kCloseWithin, kCloseWithin,
                             [&shared] { return ProgressOf(*shared->store); }};
  if (!DoWithin(patience, [shared] { shared->store->Close(); })) {
    WarnOnce("flash tier " + shared->options.path + " does not answer; it is closed when it does");
  }
}

struct Place {
  std::weak_ptr<RunningStore> running;
  std::shared_ptr<Turns> turns = std::make_shared<Turns>();
};

struct Stores {
  lss::Mutex mutex;
  std::map<std::string, Place> by_path LSS_GUARDED_BY(mutex);
};

// Never destroyed: caches may outlive our static destructors.
lss::PerProcess<Stores> g_stores;

bool SameShape(const FlashOptions& a, const FlashOptions& b) {
  return a.size == b.size && a.page_bytes == b.page_bytes;
}

// "/a/./b/" and "b" in "/a" are "/a/b". Addresses are compared as they are written.
std::string OneNameOf(const std::string& path) {
  if (lss::IsRemotePlace(path)) {
    return path;
  }
  std::error_code error;
  std::filesystem::path name = std::filesystem::absolute(path, error);
  name = error ? std::filesystem::path(path) : name.lexically_normal();
  return (name.has_filename() ? name : name.parent_path()).string();
}

}  // namespace

std::shared_ptr<lss::PageStore> SharedPageStore(const FlashOptions& options) {
  Stores* const stores = g_stores.Get();
  const lss::MutexLock lock(&stores->mutex);
  Place& place = stores->by_path[OneNameOf(options.path)];
  std::shared_ptr<RunningStore> running = place.running.lock();
  if (running == nullptr) {
    running = {new RunningStore(options, place.turns), CloseStore};
    lss::PageStoreOptions store_options = options.ForStore();
    store_options.before_opening = [its = running.get()] { its->AwaitTurn(); };
    // The options are valid: what else goes wrong turns the store off.
    if (!lss::PageStore::Open(&running->runtime, store_options, &running->store).ok()) {
      WarnOnce("flash tier " + options.path + " could not be opened");
    }
    if (running->store != nullptr) {
      running->figures = RegisterFlashFigures(options.path, running->store.get());
    }
    place.running = running;
  } else if (!SameShape(running->options, options)) {
    WarnOnce("flash tier " + options.path +
             " is open in this process with another size or page_bytes, which stay as they are");
  }
  return {running, running->store.get()};
}

}  // namespace bloom_lfs
