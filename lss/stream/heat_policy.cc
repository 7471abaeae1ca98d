#include "lss/stream/heat_policy.h"

#include <algorithm>

namespace lss {
namespace {

// A stream that has synced this often is taken to go on doing so.
constexpr uint64_t kSyncsToHeat = 3;

// Syncs of more than this do without a frontier. It saves them a write of metadata, about 0.1 ms
// here whatever their size; but each byte of it is written twice, and costs as much above 200 KiB
// or so.
constexpr uint64_t kFrontierSyncBytesMax = 128 << 10;
// A frontier that lasts for fewer syncs than this is not worth its own sync.
constexpr uint64_t kSyncsPerFrontierMin = 4;

constexpr uint64_t kFirstChunkBytes = 256 << 10;
// With a predecessor to go by. Not its own last step at once: the first syncs wait for this one.
constexpr uint64_t kFirstKnownChunkBytes = 1 << 20;
// A chunk used up faster than this makes the next one twice as long.
constexpr int64_t kFastChunkNs = 1'000'000'000;

}  // namespace

bool TurnsHot(HeatEvent event, const HeatFacts& facts) {
  if (facts.copy_on_write) {
    return false;  // stock's way is the best there: there is nothing to overwrite
  }
  switch (event) {
    case HeatEvent::kBufferFull:
      return !facts.through_cache;
    case HeatEvent::kSynced:
      return !facts.empty && !facts.retired && facts.syncs >= kSyncsToHeat &&
             (!facts.through_cache || facts.syncs_in_small_steps);
  }
  return false;
}

bool HotFromTheStart(const Pace& predecessor, bool copy_on_write) {
  return predecessor.hot && !copy_on_write;
}

bool WorthAFrontier(const SyncFacts& sync) {
  return sync.hot && !sync.retired && sync.bytes <= kFrontierSyncBytesMax &&
         sync.bytes * kSyncsPerFrontierMin <= sync.frontier_bytes_max;
}

bool FrontierFromTheStart(const Pace& predecessor) { return predecessor.frontier_chunk_bytes > 0; }

FrontierPlan::FrontierPlan(uint64_t frontier_bytes_max, const Pace& predecessor)
    : frontier_bytes_max_(frontier_bytes_max) {
  Follow(predecessor);
}

void FrontierPlan::Follow(const Pace& predecessor) {
  expected_chunk_bytes_ = predecessor.frontier_chunk_bytes;
  expected_end_ =
      predecessor.bytes == 0 ? kNowhere : PageCeil(predecessor.bytes) + kFirstChunkBytes;
}

bool FrontierPlan::Due(Address synced_end, Address retired_below) const {
  // Where the predecessor ended there is nothing to prepare for until the stream gets past it.
  const uint64_t lead =
      frontier_ >= expected_end_ ? kFirstChunkBytes : std::max(chunk_bytes_, kPageBytes);
  return frontier_bytes_max_ > 0 && !Rests(synced_end, retired_below) &&
         synced_end + lead > frontier_;
}

FrontierPlan::Range FrontierPlan::NextChunk(Address tail, int64_t now_ns) {
  if (std::max(tail, frontier_) >= expected_end_) {
    // Longer than its predecessor: it begins to find out for itself.
    expected_end_ = kNowhere;
    expected_chunk_bytes_ = 0;
    chunk_bytes_ = 0;
  }
  ChooseChunkBytes(now_ns);
  const bool outrun = tail > frontier_;
  const Address from =
      outrun ? tail + (frontier_ == 0 ? 0 : PageFloor(chunk_bytes_ / 2)) : frontier_;
  // Zeros behind the end of a log are written for nothing, and its successor waits for the device.
  const Address to = from + chunk_bytes_;
  return {from, from < expected_end_ ? std::min(to, expected_end_) : to};
}

void FrontierPlan::ChooseChunkBytes(int64_t now_ns) {
  if (chunk_bytes_ == 0) {
    chunk_bytes_ =
        std::max(kFirstChunkBytes, std::min(expected_chunk_bytes_, kFirstKnownChunkBytes));
  } else if (chunk_bytes_ < expected_chunk_bytes_) {
    chunk_bytes_ = expected_chunk_bytes_;
  } else if (now_ns - last_chunk_ns_ < kFastChunkNs) {
    chunk_bytes_ *= 2;
  }
  last_chunk_ns_ = now_ns;
  // Half, because the next chunk starts when less than one is left.
  chunk_bytes_ = std::min(chunk_bytes_, PageCeil(frontier_bytes_max_ / 2));
  largest_chunk_bytes_ = std::max(largest_chunk_bytes_, chunk_bytes_);
}

void FrontierPlan::OnCut(Address size) { frontier_ = std::min(frontier_, PageFloor(size)); }

}  // namespace lss
