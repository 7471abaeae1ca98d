// How a page store is read.
#include <cerrno>
#include <cstring>

#include "lss/pages/page_store.h"

namespace lss {
namespace {

// A page that moves from memory to flash while it is looked up is looked for once more.
constexpr int kAttempts = 2;
// Of one store, before it is given up.
constexpr uint64_t kReadErrorsMax = 16;

}  // namespace

bool PageStore::Lookup(const PageKey& key, PageCopy* copy) {
  if (!usable() || (state() != State::kOpen && state() != State::kServing)) {
    counters_.misses.Add(1);
    return false;
  }
  const uint64_t hash = HashOf(key);
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    bool again = false;
    for (const PageTable::Found& found : space_->table->Find(hash)) {
      if (found.word.in_memory() ? TryMemory(key, found, copy) : TryFlash(key, found, copy)) {
        return true;
      }
      again = again || found.word.in_memory();
    }
    if (!again) {
      break;
    }
  }
  counters_.misses.Add(1);
  return false;
}

PageStore::Presence PageStore::LookFor(const PageKey& key) {
  if (!usable() || (state() != State::kOpen && state() != State::kServing)) {
    return Presence::kNone;
  }
  const PageTable::Candidates candidates = space_->table->Find(HashOf(key));
  if (candidates.count == 0) {
    counters_.misses.Add(1);
    return Presence::kNone;
  }
  const PageWord word = candidates.begin()->word;
  return word.on_flash() && space_->GoesSoon(word.place()) ? Presence::kGoesSoon
                                                           : Presence::kLikely;
}

bool PageStore::TryMemory(const PageKey& key, const PageTable::Found& found, PageCopy* copy) {
  const uint32_t number = found.word.frame();
  space_->frames.Pin(number);
  const PageWord now = space_->table->Load(found.index);
  Frame& frame = space_->frames.frame(number);
  const bool hit = now.in_memory() && now.frame() == number && frame.key == key &&
                   copy->buffer.Reserve(frame.length);
  if (hit) {
    memcpy(copy->buffer.data(), frame.bytes.get(), frame.length);
    copy->bytes = copy->buffer.data();
    copy->length = frame.length;
    copy->compression = frame.compression;
    copy->tier = frame.tier;
    copy->goes_soon = false;
    frame.touched.store(true, std::memory_order_relaxed);  // Relaxed: a hint
  }
  space_->frames.Unpin(number);
  if (hit) {
    space_->table->NoteHit(found.index, now);
    counters_.memory_hits.Add(1);
  }
  return hit;
}

bool PageStore::TryFlash(const PageKey& key, const PageTable::Found& found, PageCopy* copy) {
  const uint64_t length = found.word.read_bytes();
  if (!copy->buffer.Reserve(length)) {
    return false;
  }
  const uint64_t begin = space_->file->layout().log.begin + found.word.read_begin();
  if (!space_->file->ReadPages(begin, length, copy->buffer.data()).ok()) {
    NoteReadError(found);
    return false;
  }
  return TakeRead(key, found, copy);
}

// The bytes decide: whatever the table said, only the record that says it is this page counts.
bool PageStore::TakeRead(const PageKey& key, const PageTable::Found& found, PageCopy* copy) {
  const uint64_t at = found.word.place() - found.word.read_begin();
  const char* const record = copy->buffer.data() + at;
  RecordHead head;
  const bool whole = DecodeRecord(record, found.word.read_bytes() - at, &head) &&
                     head.store_id == space_->file->store_id() &&
                     space_->file->layout().log.PlaceOf(head.lsn) == found.word.place();
  if (!whole || head.key != key) {
    const uint64_t hash = whole ? HashOf(head.key) : 0;
    if (whole && TagOf(hash) == found.word.tag() && space_->table->Belongs(hash, found.index)) {
      counters_.collisions.Add(1);
    } else if (space_->table->Replace(found.index, found.word, PageWord())) {
      counters_.stale_words.Add(1);
    }
    return false;
  }
  copy->bytes = record + kRecordHeaderBytes;
  copy->length = head.length;
  copy->compression = head.compression;
  copy->tier = head.tier;
  copy->goes_soon = space_->GoesSoon(found.word.place());
  space_->table->NoteHit(found.index, found.word);
  counters_.flash_hits.Add(1);
  return true;
}

// The page is lost; it may be inserted again, at another place.
void PageStore::NoteReadError(const PageTable::Found& found) {
  space_->table->Replace(found.index, found.word, PageWord());
  const uint64_t errors = counters_.read_errors.Add(1);
  if (const Status gone = space_->file->gone(); !gone.ok()) {
    TurnOff(gone);
  } else if (errors >= kReadErrorsMax) {
    TurnOff(Status::IoError("reading " + space_->file->path() + " has failed " +
                            std::to_string(kReadErrorsMax) +
                            " times; check the disk, then restart the process"));
  }
}

// What is in memory is taken at once; of the others, the first candidate is read.
void PageStore::GatherReads(std::vector<PageLookup*>* lookups, std::vector<FlashRead>* flash) {
  for (PageLookup* lookup : *lookups) {
    lookup->found = false;
    const PageTable::Candidates candidates = space_->table->Find(HashOf(lookup->key));
    if (candidates.count == 1 && candidates.begin()->word.on_flash() &&
        lookup->copy.buffer.Reserve(candidates.begin()->word.read_bytes())) {
      flash->push_back({*candidates.begin(), lookup});
    } else {
      lookup->found = Lookup(lookup->key, &lookup->copy);
    }
  }
}

void PageStore::Lookup(std::vector<PageLookup*>* lookups) {
  if (!usable() || (state() != State::kOpen && state() != State::kServing)) {
    for (PageLookup* lookup : *lookups) {
      lookup->found = false;
    }
    counters_.misses.Add(lookups->size());
    return;
  }
  std::vector<FlashRead> flash;
  GatherReads(lookups, &flash);
  std::vector<RangeRead> reads;
  for (const FlashRead& read : flash) {
    const PageWord word = read.found.word;
    reads.push_back({space_->file->layout().log.begin + word.read_begin(),
                     static_cast<uint32_t>(word.read_bytes()), read.lookup->copy.buffer.data(), 0});
  }
  space_->file->ReadRanges(&queues_, &reads);
  for (size_t i = 0; i < flash.size(); ++i) {
    PageLookup* const lookup = flash[i].lookup;
    if (reads[i].result == reads[i].length) {
      lookup->found = TakeRead(lookup->key, flash[i].found, &lookup->copy);
    } else {
      NoteReadError(flash[i].found);
    }
    if (!lookup->found) {
      counters_.misses.Add(1);
    }
  }
}

}  // namespace lss
