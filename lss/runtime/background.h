// The process-wide threads: one flusher, one maintenance thread, however many stores are open.
#pragma once

#include <memory>

#include "lss/runtime/flusher.h"
#include "lss/runtime/maintenance.h"

namespace lss {

class Background {
 public:
  // The threads of this process, started at the first call. `use_io_uring` counts for each kind of
  // flusher separately: stores that ask for io_uring share one, the others share another. When the
  // process exits, what was deferred is finished first; a store used after that does its work on
  // the calling thread.
  static Flusher& SharedFlusher(bool use_io_uring, const WarningSink& warn);
  static Maintenance& SharedMaintenance();
};

}  // namespace lss
