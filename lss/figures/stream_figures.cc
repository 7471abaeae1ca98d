#include "lss/figures/stream_figures.h"

namespace lss {
namespace {

void AddCounter(const Counter& from, Counter* to) { to->AddAlone(from.value()); }

}  // namespace

void AddTo(const StreamFigures& stream, StreamFigures* total) {
  AddCounter(stream.appends, &total->appends);
  AddCounter(stream.appended_bytes, &total->appended_bytes);
  AddCounter(stream.syncs, &total->syncs);
  AddCounter(stream.coalesced_syncs, &total->coalesced_syncs);
  total->sync_time.AddAll(stream.sync_time);
  for (size_t each = 0; each < kWaitsFor; ++each) {
    total->waits[each].AddAll(stream.waits[each]);
  }
  for (size_t each = 0; each < kWrittenAs; ++each) {
    AddCounter(stream.written_bytes[each], &total->written_bytes[each]);
  }
  AddCounter(stream.passing_errors, &total->passing_errors);
  AddCounter(stream.final_errors, &total->final_errors);
  AddCounter(stream.outran_device, &total->outran_device);
  AddCounter(stream.left_ring, &total->left_ring);
}

}  // namespace lss
