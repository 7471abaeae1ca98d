// What the threads of a page store share.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "lss/pages/frame_pool.h"
#include "lss/pages/frame_queue.h"
#include "lss/pages/ghost.h"
#include "lss/pages/page_figures.h"
#include "lss/pages/page_file.h"
#include "lss/pages/page_table.h"

namespace lss {

// How far the log may be written: below `end`, which is a multiple of 1 MiB, nothing that anybody
// still wants is overwritten.
struct LogRoom {
  // Relaxed: readers only guess by it which pages will go soon.
  std::atomic<uint64_t> end{0};
};

struct PageSpace {
  PageSpace(std::unique_ptr<PageFile> page_file, std::unique_ptr<PageTable> page_table,
            uint32_t frame_count, uint64_t frame_bytes)
      : file(std::move(page_file)),
        table(std::move(page_table)),
        frames(frame_count, frame_bytes),
        queue(frame_count),
        ghost(table->word_count() / 2) {}

  const std::unique_ptr<PageFile> file;
  const std::unique_ptr<PageTable> table;
  FramePool frames;
  FrameQueue queue;
  Ghost ghost;
  LogRoom room;

  // Whether the page at `place` of the log's area is among the next that the log runs over.
  bool GoesSoon(uint64_t place) const {
    const LogArea& log = file->layout().log;
    const uint64_t end = room.end.load(std::memory_order_relaxed);  // Relaxed: see LogRoom
    constexpr uint64_t kSoon = 16;                                  // a sixteenth of the log
    return end >= log.bytes &&
           (place + log.bytes - log.PlaceOf(end)) % log.bytes < log.bytes / kSoon;
  }
};

}  // namespace lss
