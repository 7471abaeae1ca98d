// What a caller may set when opening a store: what each room below lets one choose, and what
// concerns the store as a whole.
#pragma once

#include <cstdint>
#include <string>

#include "lss/base/status.h"
#include "lss/base/warning_sink.h"
#include "lss/ring/ring_options.h"
#include "lss/stream/stream_options.h"

namespace lss {

struct StoreOptions : RingOptions, StreamOptions {
  // Use io_uring for sealed buffers. Off, or where the kernel refuses it: pwritev2 on a thread.
  bool use_io_uring = true;

  // Most bytes that the rings of all stores of this runtime may take together, this one included;
  // 0: no limit. A ring that finds little left is made smaller, see ring_budget.h.
  uint64_t ring_budget_bytes = 0;

  // Directory of the ring file; empty means `.bloom_lfs` beside the file. Created when missing,
  // removed with the last ring in it.
  std::string ring_directory;

  // What this store falls back from or repairs.
  WarningSink warn;

  // Names the first option that is out of range and its range.
  Status Validate() const {
    Status status = RingOptions::Validate();
    return status.ok() ? StreamOptions::Validate() : status;
  }
};

}  // namespace lss
