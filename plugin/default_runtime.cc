#include "plugin/default_runtime.h"

#include <sys/stat.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <map>
#include <memory>

#include "lss/base/mutex.h"
#include "lss/base/per_process.h"
#include "lss/base/posix_file.h"
#include "plugin/warning.h"

namespace bloom_lfs {
namespace {

// How long the end of the process waits for what was deferred. Nothing is lost if that is too
// short: what a close leaves behind is recovery's work then.
constexpr std::chrono::seconds kPatienceAtExit(5);

struct Registry {
  lss::RingBudget budget;
  lss::Mutex mutex;
  std::map<dev_t, std::unique_ptr<lss::Runtime>> runtimes LSS_GUARDED_BY(mutex);
};

lss::PerProcess<Registry> g_registry;

void StopAtExit() {
  if (g_registry.Peek() == nullptr) {
    return;  // a forked child that has opened nothing
  }
  const auto deadline = std::chrono::steady_clock::now() + kPatienceAtExit;
  const std::vector<lss::Runtime*> runtimes = DefaultRuntimes();
  for (lss::Runtime* runtime : runtimes) {
    runtime->BeginStop();
  }
  for (lss::Runtime* runtime : runtimes) {
    (void)runtime->Stop(deadline);
  }
}

// Not under a lock: it may wait for a server that does not answer.
dev_t FileSystemOf(const std::string& path) {
  struct stat found = {};
  const bool is_directory = stat(path.c_str(), &found) == 0 && S_ISDIR(found.st_mode);
  if (is_directory || stat(lss::DirectoryOf(path).c_str(), &found) == 0) {
    return found.st_dev;
  }
  return 0;  // opening the log will say why
}

}  // namespace

lss::Runtime* DefaultRuntime(const std::string& path) {
  const dev_t file_system = FileSystemOf(path);
  // A forked child inherits the registration as well as the flag.
  static std::atomic<bool> at_exit{false};
  if (!at_exit.exchange(true, std::memory_order_relaxed)) {  // Relaxed: who comes first registers
    (void)std::atexit(StopAtExit);
  }
  Registry* const registry = g_registry.Get();
  const lss::MutexLock lock(&registry->mutex);
  std::unique_ptr<lss::Runtime>& runtime = registry->runtimes[file_system];
  if (runtime == nullptr) {
    runtime = std::make_unique<lss::Runtime>(WarnOnce, &registry->budget);
  }
  return runtime.get();
}

std::vector<lss::Runtime*> DefaultRuntimes() {
  Registry* const registry = g_registry.Get();
  const lss::MutexLock lock(&registry->mutex);
  std::vector<lss::Runtime*> all;
  all.reserve(registry->runtimes.size());
  for (const auto& [file_system, runtime] : registry->runtimes) {
    all.push_back(runtime.get());
  }
  return all;
}

lss::RingBudget* DefaultRingBudget() { return &g_registry.Get()->budget; }

}  // namespace bloom_lfs
