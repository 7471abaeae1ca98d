// What a page store has done, in numbers.
#pragma once

#include <cstdint>

#include "lss/figures/counter.h"

namespace lss {

// Since the store was opened. Each grows by itself: no two belong to one moment.
struct PageCounters {
  // By those who read.
  alignas(64) Counter memory_hits;
  Counter flash_hits;
  Counter misses;
  Counter collisions;   // other pages read for the sake of a tag
  Counter stale_words;  // of pages that are not where the table had them
  Counter read_errors;
  // By those who insert.
  alignas(64) Counter inserted;
  Counter already_there;
  Counter dropped_no_memory;
  Counter dropped_too_large;
  Counter dropped_not_ready;  // recovery had not finished, or the store is off
  // By the one who writes.
  alignas(64) Counter admitted_pages;
  Counter admitted_bytes;  // of pages, without headers
  Counter dropped_unread;
  Counter dropped_by_rate;
  Counter written_bytes;  // to the file, for any reason
  Counter rewritten_pages;
  Counter cleaned_bytes;
  Counter cleaned_pages;  // that had to go
  Counter checkpoints;
  Counter recovered_words;  // from the checkpoint
  Counter recovered_pages;  // from the log behind it
  Counter recovery_read_bytes;
  Counter recovery_bytes;  // that recovery reads in all, as far as is known yet
};

// A copy of them, and what the store is like at the moment.
struct PageFigures {
  const char* state = "";  // "recovering", "open", "off"
  uint64_t memory_hits = 0;
  uint64_t flash_hits = 0;
  uint64_t misses = 0;
  uint64_t collisions = 0;
  uint64_t stale_words = 0;
  uint64_t read_errors = 0;
  uint64_t inserted = 0;
  uint64_t already_there = 0;
  uint64_t dropped_no_memory = 0;
  uint64_t dropped_too_large = 0;
  uint64_t dropped_not_ready = 0;
  uint64_t admitted_pages = 0;
  uint64_t admitted_bytes = 0;
  uint64_t dropped_unread = 0;
  uint64_t dropped_by_rate = 0;
  uint64_t written_bytes = 0;
  uint64_t rewritten_pages = 0;
  uint64_t cleaned_bytes = 0;
  uint64_t cleaned_pages = 0;
  uint64_t checkpoints = 0;
  uint64_t recovered_words = 0;
  uint64_t recovered_pages = 0;
  uint64_t recovery_read_bytes = 0;
  uint64_t recovery_bytes = 0;
  uint64_t table_bytes = 0;  // of the mapping table and the ghost
  uint64_t frame_bytes = 0;  // of pages in memory
  uint64_t pages_max = 0;    // that the mapping table has room for

  uint64_t hits() const { return memory_hits + flash_hits; }
  uint64_t dropped() const {
    return dropped_no_memory + dropped_too_large + dropped_not_ready + dropped_unread +
           dropped_by_rate;
  }
  // Bytes written for each that was admitted; 0: none was.
  double write_amplification() const {
    return admitted_bytes == 0
               ? 0
               : static_cast<double>(written_bytes) / static_cast<double>(admitted_bytes);
  }
};

PageFigures CopyOf(const PageCounters& counters);

}  // namespace lss
