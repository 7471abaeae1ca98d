#include "lss/pages/page_figures.h"

namespace lss {

PageFigures CopyOf(const PageCounters& counters) {
  PageFigures copy;
  copy.memory_hits = counters.memory_hits.value();
  copy.flash_hits = counters.flash_hits.value();
  copy.misses = counters.misses.value();
  copy.collisions = counters.collisions.value();
  copy.stale_words = counters.stale_words.value();
  copy.read_errors = counters.read_errors.value();
  copy.inserted = counters.inserted.value();
  copy.already_there = counters.already_there.value();
  copy.dropped_no_memory = counters.dropped_no_memory.value();
  copy.dropped_too_large = counters.dropped_too_large.value();
  copy.dropped_not_ready = counters.dropped_not_ready.value();
  copy.admitted_pages = counters.admitted_pages.value();
  copy.admitted_bytes = counters.admitted_bytes.value();
  copy.dropped_unread = counters.dropped_unread.value();
  copy.dropped_by_rate = counters.dropped_by_rate.value();
  copy.written_bytes = counters.written_bytes.value();
  copy.rewritten_pages = counters.rewritten_pages.value();
  copy.cleaned_bytes = counters.cleaned_bytes.value();
  copy.cleaned_pages = counters.cleaned_pages.value();
  copy.checkpoints = counters.checkpoints.value();
  copy.recovered_words = counters.recovered_words.value();
  copy.recovered_pages = counters.recovered_pages.value();
  copy.recovery_read_bytes = counters.recovery_read_bytes.value();
  copy.recovery_bytes = counters.recovery_bytes.value();
  return copy;
}

}  // namespace lss
