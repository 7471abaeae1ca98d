// Past the page cache or through it? Past it a steady stream costs less and is on the device
// sooner; a burst that outruns the device would wait for it, while the page cache would have taken
// the bytes. Decisions only: no lock, no clock, no I/O; time is passed in.
//
// Thread safety: none of its own; the pipeline guards what it has of this.
#pragma once

#include <cstdint>

#include "lss/base/types.h"

namespace lss {

// What a stream has learnt about the device and itself, for its successor.
struct CacheRecord {
  bool through_cache = false;  // it outran the device, or its predecessor did not long ago
  int64_t since_ns = 0;        // when a stream last outran the device
  int64_t hold_ns = 0;         // how long that counts at least
  uint64_t device_bytes_per_s = 0;
  uint64_t stream_bytes_per_s = 0;  // while it went through the cache
};

// One stream's choice.
class CachePolicy {
 public:
  // A stream begins as its predecessor went, unless that has become calm: some time has passed, and
  // it wrote at most half of what the device takes.
  CachePolicy(const CacheRecord& predecessor, int64_t now_ns);

  // Whether the stream goes through the page cache because it outran the device.
  bool through_cache() const { return record_.through_cache; }

  // The appender finds no free buffer; everything below `in_file` is in the file.
  void OnWaitBegins(int64_t now_ns, Address in_file);
  void OnWaitEnds(int64_t now_ns);

  struct Facts {
    int64_t now_ns = 0;
    Address in_file = 0;
    uint64_t unsynced_bytes = 0;
    uint64_t ring_bytes = 0;
  };
  // Whether a stream that goes past the cache outruns the device and should do so no longer.
  bool Outruns(const Facts& facts) const;
  // It goes through the cache from now on.
  void OnThroughCache(int64_t now_ns, Address in_file);

  void OnSynced() { ++syncs_; }
  // Whether a stream that syncs while it goes through the cache may go past it again: it does so in
  // steps that its ring holds, so that it has no backlog.
  bool SyncsInSmallSteps(int64_t now_ns, Address accepted, uint64_t ring_bytes) const;
  // It goes past the cache from now on.
  void OnPastCache() { record_.through_cache = false; }

  CacheRecord Record(int64_t now_ns, Address accepted) const;

 private:
  int64_t WaitedNs(int64_t now_ns) const;

  CacheRecord record_;
  // Where and when it began to go through the cache, or began.
  Address measured_from_ = 0;
  int64_t measured_since_ns_;
  uint64_t syncs_ = 0;
  // The window in which waits are counted; it begins with a wait. -1: none.
  int64_t window_began_ns_ = -1;
  Address window_in_file_ = 0;
  int64_t waited_ns_ = 0;          // in waits of the window that have ended
  int64_t waiting_since_ns_ = -1;  // -1: not waiting
};

// How many bytes go down past the cache at once: about what the device writes while an appender may
// be kept waiting, because what is under way cannot be called back.
class BatchLimit {
 public:
  explicit BatchLimit(uint64_t buffer_bytes)
      : buffer_bytes_(buffer_bytes), bytes_(2 * buffer_bytes) {}
  uint64_t bytes() const { return bytes_; }
  // A batch of `bytes` took `took_ns`.
  void OnBatch(uint64_t bytes, int64_t took_ns);

 private:
  const uint64_t buffer_bytes_;
  uint64_t bytes_;
};

}  // namespace lss
