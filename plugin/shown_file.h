// Bringing a live log's file up to date for somebody who copies it without the plugin.
#pragma once

#include <atomic>
#include <cstdint>

#include "lss/base/status.h"
#include "lss/log_structured_store.h"

namespace bloom_lfs {

// One kind of occasion to do so, of one log.
//
// Thread safety: any thread.
class ShownFile {
 public:
  // The file has what was appended so far. It ends there too, unless the last call is less than a
  // second old: who comes so often polls, and would cost a stream that syncs its zeroed space ahead
  // each time. RocksDB takes zeros behind a record for the end of the log, in every recovery mode.
  lss::Status Show(lss::LogStructuredStore* store) { return Show(store, NowMs()); }
  // The same at a given time, for tests.
  lss::Status Show(lss::LogStructuredStore* store, int64_t now_ms);

 private:
  static int64_t NowMs();
  static constexpr int64_t kNever = INT64_MIN;
  // Relaxed: decides who cuts, nothing hangs on when.
  std::atomic<int64_t> shown_ms_{kNever};
};

}  // namespace bloom_lfs
