// What one stream has done since it was opened, counted while it runs.
//
// Lies in memory that other processes read (figures_board.h), so it has no pointers. Times are of
// the monotonic clock.
//
// Thread safety: by who counts what, see each group; reading from any thread and process. What is
// read belongs to no one moment.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "lss/base/latency_histogram.h"
#include "lss/figures/counter.h"

namespace lss {

// What a stream's callers have waited for.
enum class WaitFor : size_t {
  kDevice,    // a durable write, or a sync that changes nothing but data
  kJournal,   // a sync of a file that has grown: the file system commits its metadata
  kInFlight,  // a write or a sync of the stream that was under way
  kZeroing,   // zeros that were being written where the bytes go
  kRing,      // room in the ring: the device is behind
};
inline constexpr size_t kWaitsFor = 5;

// Why bytes were written to the file.
enum class WrittenAs : size_t {
  kData,   // sealed buffers
  kTail,   // the partial buffer at the end, for a sync or a write-out
  kAgain,  // what of the pages had been written before, and their padding
  kZeros,  // ahead of the tail
};
inline constexpr size_t kWrittenAs = 4;

struct StreamFigures {
  // A stream with one appender counts alone, one with many does not.
  alignas(64) Counter appends;
  Counter appended_bytes;  // of a record log: in sealed buffers

  alignas(64) Counter syncs;
  Counter coalesced_syncs;  // of these: made durable by somebody else's
  LatencyHistogram sync_time;
  std::array<LatencyHistogram, kWaitsFor> waits;

  std::array<Counter, kWrittenAs> written_bytes;
  Counter passing_errors;  // that were told, or tried again
  Counter final_errors;
  Counter outran_device;  // times that it went through the page cache because of that
  Counter left_ring;      // times that it went on without its ring, which had failed

  // Gauges. The first two are addresses.
  Counter in_file;
  Counter durable;
  Counter is_hot;
  Counter syncs_under_way;
  Counter sync_waits_since_ns;  // since when nothing has come of the syncs under way

  LatencyHistogram& wait(WaitFor what) { return waits[static_cast<size_t>(what)]; }
  Counter& written(WrittenAs as) { return written_bytes[static_cast<size_t>(as)]; }
};

// Adds what only grows, for totals of streams that are gone. REQUIRES: nobody counts in `total`.
void AddTo(const StreamFigures& stream, StreamFigures* total);

}  // namespace lss
