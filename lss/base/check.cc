#include "lss/base/check.h"

#include <cstdio>
#include <cstdlib>

namespace lss {

void CheckFailed(const char* file, int line, const char* condition, const char* explanation) {
  std::fprintf(stderr, "bloom_lfs: %s:%d: %s (%s does not hold); this is a bug, please report it\n",
               file, line, explanation, condition);
  std::abort();
}

}  // namespace lss
