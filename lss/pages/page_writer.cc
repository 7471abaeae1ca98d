#include "lss/pages/page_writer.h"

#include <cerrno>

namespace lss {
namespace {

// How far room is made ahead of the log's end, in bytes: what is written again while room is made
// needs some itself.
constexpr uint64_t kLead = 2 * PageLog::kRingBytes;

}  // namespace

PageWriter::PageWriter(PageSpace* space, PageLog* log, PageCounters* counters,
                       const Options& options)
    : space_(space), log_(log), counters_(counters), options_(options), rate_(options.write_rate) {
  // Relaxed: see LogRoom.
  space_->room.end.store(log_->head(), std::memory_order_relaxed);
}

Status PageWriter::Step(int64_t now_ns, bool all) {
  for (uint32_t frame = space_->queue.Pop(); frame != FramePool::kNone;
       frame = space_->queue.Pop()) {
    staged_.push_back(frame);
  }
  Status status;
  size_t chances = staged_.size();  // each page gets one at most
  while (status.ok() && MustLeave(all)) {
    const uint32_t frame = staged_.front();
    staged_.pop_front();
    if (!all && chances > 0 && GetsAnotherChance(frame)) {
      --chances;
      staged_.push_back(frame);
      continue;
    }
    status = Leave(frame, now_ns, all);
    NoteArrivals();
  }
  return status;
}

// What goes to the flash in any case goes as soon as it can: a crash then loses little of it.
bool PageWriter::MustLeave(bool all) const {
  return !staged_.empty() &&
         (all || !log_full() || options_.admit == Admit::kAll || space_->frames.Crowded());
}

// Least recently used first, by a second chance for what was read while it waited.
bool PageWriter::GetsAnotherChance(uint32_t frame) {
  return options_.policy == PagePolicy::kLru && log_full() &&
         space_->frames.frame(frame).touched.exchange(
             false,
             std::memory_order_relaxed);  // Relaxed: a hint
}

bool PageWriter::StillThere(uint32_t frame, PageWord* word) const {
  *word = space_->table->Load(space_->frames.frame(frame).index);
  return word->in_memory() && word->frame() == frame;
}

Status PageWriter::Leave(uint32_t number, int64_t now_ns, bool all) {
  PageWord word;
  if (!StillThere(number, &word)) {
    space_->frames.Retire(number);  // erased
    return Status::Ok();
  }
  const Frame& frame = space_->frames.frame(number);
  const LeavingPage page = {word.hits(), frame.was_ghost};
  if (!all && !GoesToFlash(options_.policy, options_.admit, page, log_full())) {
    counters_->dropped_unread.Add(1);
    space_->ghost.Note(HashOf(frame.key));
    Drop(number);
    return Status::Ok();
  }
  if (!all && log_full() && !rate_.Take(frame.length, now_ns)) {
    counters_->dropped_by_rate.Add(1);
    Drop(number);
    return Status::Ok();
  }
  return Write(number);
}

void PageWriter::Drop(uint32_t frame) {
  PageWord word;
  while (StillThere(frame, &word) &&
         !space_->table->Replace(space_->frames.frame(frame).index, word, PageWord())) {
  }
  space_->frames.Retire(frame);
}

Status PageWriter::Write(uint32_t number) {
  const Frame& frame = space_->frames.frame(number);
  if (Status status = MakeRoom(log_->EndAfter(frame.length)); !status.ok()) {
    return status;
  }
  RecordHead head;
  head.key = frame.key;
  head.length = frame.length;
  head.compression = frame.compression;
  head.tier = frame.tier;
  const uint64_t before = log_->head();
  Pending pending;
  Status status = log_->Append(head, frame.bytes.get(), &pending.lsn);
  if (!status.ok()) {
    return status;
  }
  counters_->written_bytes.Add(log_->head() - before);
  counters_->admitted_pages.Add(1);
  counters_->admitted_bytes.Add(frame.length);
  pending.bytes = RecordBytes(frame.length);
  pending.index = frame.index;
  pending.frame = number;
  pending_.push_back(pending);
  return Status::Ok();
}

void PageWriter::DropAll() {
  for (uint32_t frame = space_->queue.Pop(); frame != FramePool::kNone;
       frame = space_->queue.Pop()) {
    staged_.push_back(frame);
  }
  for (const Pending& pending : pending_) {
    if (pending.frame != FramePool::kNone) {
      staged_.push_back(pending.frame);
    }
  }
  pending_.clear();
  for (const uint32_t frame : staged_) {
    Drop(frame);
  }
  staged_.clear();
}

bool PageWriter::NoteArrivals() {
  const uint64_t stable = log_->stable();  // P5: what is below is in the file
  const bool any = !pending_.empty() && pending_.front().lsn + pending_.front().bytes <= stable;
  while (!pending_.empty() && pending_.front().lsn + pending_.front().bytes <= stable) {
    Arrive(pending_.front());
    pending_.pop_front();
  }
  space_->frames.Sweep();
  return any;
}

// Hits may come in between, and erasures.
void PageWriter::Arrive(const Pending& pending) {
  const uint64_t place = space_->file->layout().log.PlaceOf(pending.lsn);
  const bool again = pending.frame == FramePool::kNone;
  for (;;) {
    const PageWord word = space_->table->Load(pending.index);
    const bool ours = again ? word.on_flash() && word.tag() == pending.old_word.tag() &&
                                  word.place() == pending.old_word.place()
                            : word.in_memory() && word.frame() == pending.frame;
    const uint8_t hits = again ? 0 : word.hits();
    if (!ours || space_->table->Replace(pending.index, word,
                                        PageWord::Flash(word.tag(), place, pending.bytes, hits))) {
      break;
    }
  }
  if (!again) {
    space_->frames.Retire(pending.frame);
  }
}

Status PageWriter::MakeRoom(uint64_t end) {
  Status status;
  // Relaxed: see LogRoom.
  while (status.ok() && space_->room.end.load(std::memory_order_relaxed) < end + kLead) {
    status = CleanUnit();
  }
  return status;
}

// The unit that the log runs over next. In the first round there is nothing in it.
Status PageWriter::CleanUnit() {
  const LogArea& log = space_->file->layout().log;
  const uint64_t end = space_->room.end.load(std::memory_order_relaxed);  // Relaxed: see LogRoom
  Status status;
  if (end >= log.bytes) {
    status = CleanUnitAt(end - log.bytes);
  }
  // Relaxed: see LogRoom.
  space_->room.end.store(end + kLayoutUnit, std::memory_order_relaxed);
  return status;
}

// What cannot be read cannot be rescued: its words lead nowhere, as their readers will see.
Status PageWriter::CleanUnitAt(uint64_t lsn) {
  const LogArea& log = space_->file->layout().log;
  if (!unit_.Reserve(kLayoutUnit)) {
    return Status::FromErrno("clean", space_->file->path(), -1, ENOMEM);
  }
  counters_->cleaned_bytes.Add(kLayoutUnit);
  // Piece by piece: a look-up would wait for all of it behind one large read.
  constexpr uint64_t kPieceBytes = 64 << 10;
  for (uint64_t at = 0; at < kLayoutUnit; at += kPieceBytes) {
    if (!space_->file->ReadPages(log.begin + log.PlaceOf(lsn) + at, kPieceBytes, unit_.data() + at)
             .ok()) {
      counters_->read_errors.Add(1);
      return Status::Ok();
    }
  }
  RecordWalk walk(unit_.data(), kLayoutUnit, lsn, space_->file->store_id());
  RecordWalk::Record record;
  uint64_t rewritten = 0;
  Status status;
  while (status.ok() && walk.Next(&record)) {
    status = CleanPage(record, &rewritten);
  }
  return status;
}

Status PageWriter::CleanPage(const RecordWalk::Record& record, uint64_t* rewritten) {
  const uint64_t place = space_->file->layout().log.PlaceOf(record.head.lsn);
  for (const PageTable::Found& found : space_->table->Find(HashOf(record.head.key))) {
    if (!found.word.on_flash() || found.word.place() != place) {
      continue;
    }
    const uint64_t with_it = *rewritten + RecordBytes(record.head.length);
    if (SurvivesCleaning(found.word.hits(), with_it, kLayoutUnit)) {
      *rewritten = with_it;
      return Rewrite(record, found);
    }
    PageWord word = found.word;
    while (word.on_flash() && word.place() == place &&
           !space_->table->Replace(found.index, word, PageWord())) {
      word = space_->table->Load(found.index);
    }
    counters_->cleaned_pages.Add(1);
    return Status::Ok();
  }
  return Status::Ok();
}

// No room is made for it: kLead has some.
Status PageWriter::Rewrite(const RecordWalk::Record& record, const PageTable::Found& found) {
  if (record.head.length > log_->max_page_bytes()) {
    return Status::Ok();
  }
  const uint64_t before = log_->head();
  Pending pending;
  Status status = log_->Append(record.head, record.page, &pending.lsn);
  if (status.ok()) {
    counters_->written_bytes.Add(log_->head() - before);
    counters_->rewritten_pages.Add(1);
    pending.bytes = RecordBytes(record.head.length);
    pending.index = found.index;
    pending.old_word = found.word;
    pending_.push_back(pending);
  }
  return status;
}

}  // namespace lss
