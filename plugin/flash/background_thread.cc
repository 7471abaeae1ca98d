#include "plugin/flash/background_thread.h"

#include <sys/prctl.h>

#include <cstring>

namespace bloom_lfs {

bool IsBackgroundThread() {
  static thread_local const bool background = [] {
    char name[16] = {};
    return prctl(PR_GET_NAME, name) == 0 && strncmp(name, "rocksdb:", 8) == 0;
  }();
  return background;
}

}  // namespace bloom_lfs
