// What a caller may set when opening a store, with units and limits.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "lss/base/status.h"
#include "lss/base/types.h"

namespace lss {

// How sealed buffers reach the file.
enum class WriteMode : uint32_t {
  // In parallel and in any order near the tail; the watermark hi_stable() tells what is contiguous.
  kTailLocalizedWrites = 1,
  // Strictly in address order: a batch starts when the one before it has completed.
  kSerializedWrites = 2,
};

// Largest buffer, in bytes. Bounds the overshoot of failed reservations, see buffer_state.h.
inline constexpr uint32_t kMaxBufferBytes = 1U << 20;
// Most buffers of a ring; the ring file's header has room for this many base addresses.
inline constexpr uint32_t kMaxBufferCount = 256;
inline constexpr uint32_t kMinBufferCount = 2;
// Most bytes that the zeroed frontier may run ahead of the tail.
inline constexpr uint64_t kMaxFrontierBytes = 64ULL << 20;

// Called with one finished line (no newline) when the store falls back or repairs something.
// May be called from any thread.
using WarningSink = std::function<void(const std::string&)>;

// How a stream went. Its successor is taken to go the same way, so that it need not find out anew;
// only speed depends on that.
struct Pace {
  Address bytes = 0;  // its length; 0: nothing is known
  bool hot = false;
  uint64_t frontier_chunk_bytes = 0;  // largest step of its zeroed frontier; 0: it had none
};

struct StoreOptions {
  WriteMode write_mode = WriteMode::kSerializedWrites;

  // Size of one buffer in bytes: a multiple of 4096, at most kMaxBufferBytes.
  uint32_t buffer_bytes = 4096;
  // Number of buffers, kMinBufferCount..kMaxBufferCount.
  uint32_t buffer_count = 4;

  // Use io_uring for sealed buffers. Off, or where the kernel refuses it: pwritev2 on a thread.
  bool use_io_uring = true;
  // Use O_DIRECT once the stream is long enough to profit. Where the file system refuses it:
  // buffered writes.
  bool use_direct_io = true;

  // Zeroed space kept ahead of the tail of a stream that syncs, in bytes; 0 turns it off. The space
  // is real zeros on the device, so that a sync overwrites written blocks.
  uint64_t frontier_bytes = 4ULL << 20;
  // An idle tail is written to the file (not synced) after about this long.
  uint32_t idle_flush_ms = 500;
  // Blocks are allocated in steps of this many bytes.
  uint64_t allocation_step_bytes = 1ULL << 20;
  // A sync also cuts the file to exactly the bytes it covers, and makes that durable, for readers
  // that know nothing of rings and take the file's end for the stream's. Costs a sync of metadata;
  // leaves no room for zeros ahead of the tail, so frontier_bytes must be 0.
  bool exact_size_when_synced = false;
  // Most bytes that the rings of all stores of this process may take together, this one included;
  // 0: no limit. A ring that finds little left is made smaller, see ring_budget.h.
  uint64_t ring_budget_bytes = 0;

  // Directory of the ring file; empty means `.bloom_lfs` beside the file. Created when missing,
  // removed with the last ring in it.
  std::string ring_directory;

  WarningSink warn;

  // Of the stream that this one follows, if there is one.
  Pace predecessor;

  // Called before this stream's first byte goes to its file, by a thread that may block: streams
  // whose bytes come before these must have theirs in their files first (`durable`: on the device),
  // or a crash could show a hole between the two. Its error becomes this store's. Null: no
  // predecessors.
  std::function<Status(bool durable)> settle_predecessors;

  // Names the first option that is out of range and its range.
  Status Validate() const;
};

}  // namespace lss
