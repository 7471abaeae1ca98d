#include "plugin/warning.h"

#include <cstdio>
#include <unordered_set>

#include "lss/base/mutex.h"

namespace bloom_lfs {
namespace {

// More distinct lines than this mean something is very wrong already; the rest would drown it.
constexpr size_t kMaxLines = 1000;

struct Said {
  lss::Mutex mutex;
  std::unordered_set<std::string> lines LSS_GUARDED_BY(mutex);
};

std::string WithoutPlace(const std::string& line) {
  const size_t place = line.rfind(" [");
  return place != std::string::npos && line.back() == ']' ? line.substr(0, place) : line;
}

}  // namespace

void WarnOnce(const std::string& line) {
  // Never destroyed: stores may be closed by later exit handlers.
  static Said* const said = new Said;
  const lss::MutexLock lock(&said->mutex);
  if (said->lines.size() < kMaxLines && said->lines.insert(WithoutPlace(line)).second) {
    std::fprintf(stderr, "bloom_lfs: %s\n", line.c_str());
  }
}

}  // namespace bloom_lfs
