#include "plugin/warning.h"

#include <unordered_set>

#include "lss/base/mutex.h"
#include "lss/base/per_process.h"
#include "plugin/standard_error.h"

namespace bloom_lfs {
namespace {

// More distinct lines than this mean something is very wrong already; the rest would drown it.
constexpr size_t kMaxLines = 1000;

struct Said {
  lss::Mutex mutex;
  std::unordered_set<std::string> lines LSS_GUARDED_BY(mutex);

  // Whether `line` is new, and there is room for it.
  bool Note(const std::string& line) {
    const lss::MutexLock lock(&mutex);
    return lines.size() < kMaxLines && lines.insert(line).second;
  }
};

lss::PerProcess<Said> g_said;

std::string WithoutPlace(const std::string& line) {
  const size_t place = line.rfind(" [");
  return place != std::string::npos && line.back() == ']' ? line.substr(0, place) : line;
}

}  // namespace

void WarnOnce(const std::string& line) {
  if (g_said.Get()->Note(WithoutPlace(line))) {
    const std::string whole = "bloom_lfs: " + line;
    SayOnStandardError(whole.data(), whole.size());
  }
}

}  // namespace bloom_lfs
