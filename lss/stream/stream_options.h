// What a stream's owner may choose about space, heat and syncing.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "lss/base/status.h"
#include "lss/figures/stream_figures.h"

namespace lss {

// Most bytes that the zeroed frontier may run ahead of the tail.
inline constexpr uint64_t kMaxFrontierBytes = 64ULL << 20;

struct StreamOptions {
  // Go past the page cache once the stream is long enough to profit. Where the file system refuses
  // it: buffered writes.
  bool use_direct_io = true;

  // Zeroed space kept ahead of the tail of a stream that syncs, in bytes; 0 turns it off. The space
  // is real zeros on the device, so that a sync overwrites written blocks.
  uint64_t frontier_bytes = 4ULL << 20;
  // An accepted byte is in the file (not synced) after at most this long, unless the device takes
  // longer to write it.
  uint32_t idle_flush_ms = 500;
  // Blocks are allocated in steps of this many bytes.
  uint64_t allocation_step_bytes = 1ULL << 20;
  // Off: no blocks, and no zeros, before the bytes that go there; a full disk then shows when they
  // are written.
  bool allocate_ahead = true;
  // A sync also cuts the file to exactly the bytes it covers, and makes that durable, for readers
  // that know nothing of rings and take the file's end for the stream's. Costs a sync of metadata;
  // leaves no room for zeros ahead of the tail, so frontier_bytes must be 0.
  bool exact_size_when_synced = false;

  // Called before this stream's first byte goes to its file, by a thread that may block: streams
  // whose bytes come before these must have theirs in their files first (`durable`: on the device),
  // or a crash could show a hole between the two. Its error becomes this store's. Null: no
  // predecessors.
  std::function<Status(bool durable)> settle_predecessors;

  // Where the stream counts what it does. Null: where only it sees it.
  std::shared_ptr<StreamFigures> figures;

  // What is left of them where the device does not overwrite in place: no way past the page cache,
  // nothing zeroed ahead, and only small allocations, because those stay taken as a whole as long
  // as a part of them is in use.
  void AdaptToCopyOnWrite();

  // Names the first option that is out of range and its range.
  Status Validate() const;
};

}  // namespace lss
