// When is a stream hot, when does it get a zeroed frontier, and how far ahead does that reach?
// Decisions only: no lock, no clock, no I/O; time is passed in. lss/stream/README.md says what hot
// and frontier mean.
//
// Thread safety: none of its own; FrontierPlan is guarded by whoever has one (Space).
#pragma once

#include <cstdint>

#include "lss/base/types.h"
#include "lss/stream/cache_policy.h"

namespace lss {

// How a stream went. Its successor is taken to go the same way, so that it need not find out anew;
// only speed depends on that.
struct Pace {
  Address bytes = 0;  // its length; 0: nothing is known
  bool hot = false;
  uint64_t frontier_chunk_bytes = 0;  // largest step of its zeroed frontier; 0: it had none
  CacheRecord cache = {};
};

// --- hot ---

enum class HeatEvent {
  kBufferFull,  // a sealed buffer wants to be written
  kSynced,
};
struct HeatFacts {
  uint64_t syncs = 0;                 // so far
  bool empty = false;                 // without a byte yet: perhaps made long before it is needed
  bool retired = false;               // a successor takes the appends
  bool through_cache = false;         // it goes through the page cache, having outrun the device
  bool syncs_in_small_steps = false;  // since then
  bool copy_on_write = false;         // the device does not overwrite in place
};
// Whether a cold stream turns hot on `event`.
bool TurnsHot(HeatEvent event, const HeatFacts& facts);
// Whether a stream is hot from its first byte on.
bool HotFromTheStart(const Pace& predecessor, bool copy_on_write);

// --- frontier ---

struct SyncFacts {
  bool hot = false;
  bool retired = false;  // a successor takes the appends
  uint64_t bytes = 0;    // how much further than the one before this sync reached
  uint64_t frontier_bytes_max = 0;
};
// Whether a stream that syncs like this is worth a frontier.
bool WorthAFrontier(const SyncFacts& sync);
// Whether a stream gets one as soon as it is hot, before it has shown how it syncs.
bool FrontierFromTheStart(const Pace& predecessor);

class FrontierPlan {
 public:
  FrontierPlan(uint64_t frontier_bytes_max, const Pace& predecessor);
  // The same from the beginning, behind another predecessor. REQUIRES: nothing zeroed yet.
  void Follow(const Pace& predecessor);

  // A retired stream gets nothing more while it ends below `retired_below`.
  static bool Rests(Address end, Address retired_below) { return end < retired_below; }
  // Whether the next chunk should be zeroed, with everything synced up to `synced_end`.
  bool Due(Address synced_end, Address retired_below) const;

  struct Range {
    Address from;
    Address to;
  };
  // The next chunk, with appending at `tail` (page aligned). A chunk that was used up in less than
  // a second makes the next one twice as long.
  Range NextChunk(Address tail, int64_t now_ns);

  // Everything below `end` is zeroed and synced.
  void OnZeroed(Address end) { frontier_ = end; }
  // The stream was cut to `size`.
  void OnCut(Address size);

  Address frontier() const { return frontier_; }
  uint64_t largest_chunk_bytes() const { return largest_chunk_bytes_; }

 private:
  void ChooseChunkBytes(int64_t now_ns);

  static constexpr Address kNowhere = UINT64_MAX;

  const uint64_t frontier_bytes_max_;
  Address frontier_ = 0;
  uint64_t chunk_bytes_ = 0;
  uint64_t largest_chunk_bytes_ = 0;
  int64_t last_chunk_ns_ = 0;
  // Of the predecessor; 0 and kNowhere when the stream has outgrown it.
  uint64_t expected_chunk_bytes_ = 0;
  Address expected_end_ = kNowhere;
};

}  // namespace lss
