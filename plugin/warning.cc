#include "plugin/warning.h"

#include <cstdio>
#include <mutex>
#include <unordered_set>

namespace bloom_lfs {
namespace {

// More distinct lines than this mean something is very wrong already; the rest would drown it.
constexpr size_t kMaxLines = 1000;

}  // namespace

void WarnOnce(const std::string& line) {
  // Never destroyed: stores may be closed by later exit handlers.
  static std::mutex* const mutex = new std::mutex;
  static auto* const said = new std::unordered_set<std::string>;
  const std::lock_guard<std::mutex> lock(*mutex);
  if (said->size() < kMaxLines && said->insert(line).second) {
    std::fprintf(stderr, "bloom_lfs: %s\n", line.c_str());
  }
}

}  // namespace bloom_lfs
