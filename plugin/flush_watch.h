// Which Flush of a log's handle asks for the bytes to be in the file, where others copy them?
// A decision over the order of calls only: no lock, no I/O.
//
// RocksDB calls Flush for four reasons, and does not say which:
// - a record is complete             append, flush
// - it is about to sync              (append, flush,) flush, sync
// - it changes logs, or closes this  flush; the next log exists by then, or close follows
// - its user has asked: LockWAL up to RocksDB 7.9, FlushWAL and LockWAL under manual_wal_flush
// The last is to be found. After a flush for a sync the next one like it is expected to be one too:
// who syncs every tenth write goes on doing so.
//
// Thread safety: OnSync from any thread, everything else by the appender.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

namespace bloom_lfs {

class FlushWatch {
 public:
  // `manual`: no flush follows a record (manual_wal_flush).
  explicit FlushWatch(bool manual) : manual_(manual) {}

  // Expects what the log before this one has shown: that it syncs, after however many flushes.
  void ExpectSyncs() { expected_ = kAnyCount; }
  void OnAppend() {
    if (last_bare_.has_value()) {
      Learn();
    }
    appended_ = true;
  }
  // Whether it was the user who asked, as far as one can tell before knowing what comes next.
  bool OnFlush();
  void OnSync() { syncs_.fetch_add(1, std::memory_order_relaxed); }

 private:
  // A flush without a record, and what came before it.
  struct Bare {
    uint64_t syncs;
    uint64_t records;  // flushed since the last sync
  };
  // What the last bare flush was for, is known when the next append or flush comes.
  void Learn();

  static constexpr uint64_t kAnyCount = UINT64_MAX;

  const bool manual_;
  bool appended_ = false;  // since the last flush
  uint64_t records_ = 0;   // flushed since the last sync
  uint64_t syncs_seen_ = 0;
  std::optional<Bare> last_bare_;
  // Of how many records a flush for a sync is expected.
  std::optional<uint64_t> expected_;
  // Relaxed: a count. A sync on another thread that is seen late or early makes a wrong guess.
  std::atomic<uint64_t> syncs_{0};
};

}  // namespace bloom_lfs
