#include "lss/pages/page_recovery.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "lss/base/page_buffer.h"
#include "lss/pages/page_log.h"
#include "lss/pages/page_record.h"

namespace lss {
namespace {

// Units without a record of theirs, one after the other, behind which there are none any more: a
// killed process has left a ring of holes at most, whoever came next left out another ring behind
// the last record that it saw, and has left a ring of holes itself. More for what is rounded.
constexpr uint64_t kForeignUnits = 3 * PageLog::kRingBytes / kLayoutUnit + 2;

}  // namespace

bool PageRecovery::ReadHead(int slot, CheckpointHead* head) const {
  PageBuffer page(kPageBytes);
  return page.data() != nullptr &&
         file_->ReadPages(file_->layout().checkpoint_begin(slot), kPageBytes, page.data()).ok() &&
         DecodeCheckpointHead(page.data(), head) && head->store_id == file_->store_id() &&
         (head->words == table_->word_count() || head->words == 0);
}

Status PageRecovery::LoadCheckpoint() {
  int newest = -1;
  for (const int slot : {0, 1}) {
    CheckpointHead head;
    if (ReadHead(slot, &head) && head.sequence > checkpoint_.sequence) {
      newest = slot;
      checkpoint_ = head;
    }
  }
  if (newest < 0) {
    NoteLeft(file_->fresh() ? 0 : file_->layout().log.bytes);
    return Status::Ok();
  }
  NoteLeft(CheckpointBlocks(checkpoint_.words) * kCheckpointBlockBytes +
           LeftToScan(scan_begin(), 0));
  free_slot_ = 1 - newest;
  PageBuffer block(kCheckpointBlockBytes);
  if (block.data() == nullptr) {
    return Status::FromErrno("read", file_->path(), -1, ENOMEM);
  }
  for (uint64_t i = 0; i < CheckpointBlocks(checkpoint_.words) && !stopped(); ++i) {
    RestoreBlock(i, block.data());
  }
  return file_->gone();
}

// A block that is damaged, or cannot be read, costs its pages.
void PageRecovery::RestoreBlock(uint64_t number, char* block) {
  const uint64_t at = file_->layout().checkpoint_begin(1 - free_slot_) + CheckpointBlockAt(number);
  counters_->recovery_read_bytes.Add(kCheckpointBlockBytes);
  if (!file_->ReadPages(at, kCheckpointBlockBytes, block).ok()) {
    counters_->read_errors.Add(1);
    return;
  }
  if (!CheckCheckpointBlock(checkpoint_.sequence, static_cast<uint32_t>(number), block)) {
    return;
  }
  const uint64_t first = number * kCheckpointBlockWords;
  const uint64_t count = std::min(kCheckpointBlockWords, checkpoint_.words - first);
  uint64_t restored = 0;
  for (uint64_t i = 0; i < count; ++i) {
    uint64_t bits = 0;
    memcpy(&bits, block + i * sizeof(bits), sizeof(bits));
    const PageWord word(bits);
    if (word.on_flash() && word.read_begin() + word.read_bytes() <= file_->layout().log.bytes) {
      table_->Restore(first + i, word);
      ++restored;
    }
  }
  counters_->recovered_words.Add(restored);
}

Status PageRecovery::ScanLog(uint64_t* origin) {
  uint64_t end = 0;
  Status status;
  if (checkpoint_.sequence > 0) {
    status = ScanBehind(&end);
    end = std::max(end, checkpoint_.log_end);
  } else if (!file_->fresh()) {
    status = ScanAll(&end);
  }
  if (end > 0) {
    end = (end + kLayoutUnit - 1) / kLayoutUnit * kLayoutUnit + PageLog::kRingBytes;
  }
  *origin = end;
  return status;
}

// What cannot be read is as good as zeros.
void PageRecovery::ReadUnit(uint64_t lsn, char* unit) {
  const LogArea& log = file_->layout().log;
  counters_->recovery_read_bytes.Add(kLayoutUnit);
  if (!file_->ReadPages(log.begin + log.PlaceOf(lsn), kLayoutUnit, unit).ok()) {
    counters_->read_errors.Add(1);
    memset(unit, 0, kLayoutUnit);
  }
}

uint64_t PageRecovery::LeftToScan(uint64_t lsn, uint64_t foreign) const {
  const uint64_t at_least = checkpoint_.log_end + kForeignUnits * kLayoutUnit;
  const uint64_t quiet = lsn + (kForeignUnits - std::min(foreign, kForeignUnits)) * kLayoutUnit;
  const uint64_t limit = scan_begin() + file_->layout().log.bytes;
  const uint64_t until = std::min(std::max(at_least, quiet), limit);
  return until <= lsn ? 0 : (until - lsn + kLayoutUnit - 1) / kLayoutUnit * kLayoutUnit;
}

Status PageRecovery::ScanBehind(uint64_t* end) {
  PageBuffer unit;
  if (!unit.Reserve(kLayoutUnit)) {
    return Status::FromErrno("read", file_->path(), -1, ENOMEM);
  }
  uint64_t foreign = 0;
  uint64_t lsn = scan_begin();
  while (LeftToScan(lsn, foreign) > 0 && !stopped()) {
    ReadUnit(lsn, unit.data());
    foreign = AddUnit(unit.data(), lsn, end) ? 0 : foreign + 1;
    lsn += kLayoutUnit;
    NoteLeft(LeftToScan(lsn, foreign));
  }
  return file_->gone();
}

// Without a checkpoint nobody knows where the log ends: each unit says itself what it is.
Status PageRecovery::ScanAll(uint64_t* end) {
  PageBuffer unit;
  if (!unit.Reserve(kLayoutUnit)) {
    return Status::FromErrno("read", file_->path(), -1, ENOMEM);
  }
  for (uint64_t place = 0; place < file_->layout().log.bytes && !stopped(); place += kLayoutUnit) {
    ReadUnit(place, unit.data());
    uint64_t lsn = 0;
    uint64_t unit_end = 0;
    if (LsnOfUnit(unit.data(), place, &lsn) && AddUnit(unit.data(), lsn, &unit_end)) {
      *end = std::max(*end, unit_end);
    }
  }
  return file_->gone();
}

bool PageRecovery::LsnOfUnit(const char* unit, uint64_t place, uint64_t* lsn) const {
  for (uint64_t at = 0; at < kLayoutUnit; at += kPageBytes) {
    RecordHead head;
    if (DecodeHead(unit + at, &head) && head.store_id == file_->store_id() &&
        file_->layout().log.PlaceOf(head.lsn) == place + at &&
        DecodeRecord(unit + at, kLayoutUnit - at, &head)) {
      *lsn = head.lsn - at;
      return true;
    }
  }
  return false;
}

bool PageRecovery::AddUnit(const char* unit, uint64_t lsn, uint64_t* end) {
  RecordWalk walk(unit, kLayoutUnit, lsn, file_->store_id());
  RecordWalk::Record record;
  bool any = false;
  while (walk.Next(&record)) {
    any = true;
    const uint32_t bytes = RecordBytes(record.head.length);
    AddPage(record.head.key, record.head.lsn, bytes);
    *end = std::max(*end, record.head.lsn + bytes);
  }
  return any;
}

// A word with the same tag in the same buckets is an older copy of the page, but for two in ten
// thousand, whose pages are lost.
void PageRecovery::AddPage(const PageKey& key, uint64_t lsn, uint32_t bytes) {
  const uint64_t hash = HashOf(key);
  const PageWord word = PageWord::Flash(TagOf(hash), file_->layout().log.PlaceOf(lsn), bytes, 0);
  counters_->recovered_pages.Add(1);
  for (const PageTable::Found& found : table_->Find(hash)) {
    if (found.word.place() == word.place() || table_->Replace(found.index, found.word, word)) {
      return;
    }
  }
  table_->Insert(hash, word);
}

}  // namespace lss
