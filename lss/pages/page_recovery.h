// What a page store's file still knows: the newest checkpoint of the mapping table, and the records
// of the log behind it.
//
// Nothing here decides what is right. A word that recovery gets wrong, because a checkpoint is old
// or the log was overwritten since, leads to a record of another page, and whoever reads that sees
// it. So recovery loses pages at worst.
#pragma once

#include <atomic>
#include <cstdint>

#include "lss/base/status.h"
#include "lss/pages/checkpoint_format.h"
#include "lss/pages/page_figures.h"
#include "lss/pages/page_file.h"
#include "lss/pages/page_key.h"
#include "lss/pages/page_table.h"

namespace lss {

class PageRecovery {
 public:
  // Nothing is owned; all must outlive the object. `stop`: somebody wants to end.
  PageRecovery(const PageFile* file, PageTable* table, PageCounters* counters,
               const std::atomic<bool>* stop)
      : file_(file), table_(table), counters_(counters), stop_(stop) {}

  // Restores the words of the newest checkpoint that can be read, if there is one.
  Status LoadCheckpoint();
  // The checkpoint that was loaded; its sequence is 0 if there was none.
  const CheckpointHead& checkpoint() const { return checkpoint_; }
  // The slot that the next checkpoint may overwrite.
  int free_slot() const { return free_slot_; }

  // Adds the pages of the log behind the checkpoint; without one, of the whole log. Look-ups may go
  // on meanwhile. `origin`: where the log may go on, above everything that anybody wrote.
  Status ScanLog(uint64_t* origin);

 private:
  bool ReadHead(int slot, CheckpointHead* head) const;
  void RestoreBlock(uint64_t number, char* block);
  void ReadUnit(uint64_t lsn, char* unit);
  Status ScanBehind(uint64_t* end);
  Status ScanAll(uint64_t* end);
  // Notes how much recovery reads in all, if so much is left.
  void NoteLeft(uint64_t bytes) {
    counters_->recovery_bytes.Set(counters_->recovery_read_bytes.value() + bytes);
  }
  // Bytes that the scan reads from the unit at `lsn` on if it finds no more records, with `foreign`
  // units without one before it.
  uint64_t LeftToScan(uint64_t lsn, uint64_t foreign) const;
  uint64_t scan_begin() const { return checkpoint_.recovery_start / kLayoutUnit * kLayoutUnit; }
  // Pages in the unit that begins at `lsn`; `end`: behind the last.
  bool AddUnit(const char* unit, uint64_t lsn, uint64_t* end);
  void AddPage(const PageKey& key, uint64_t lsn, uint32_t bytes);
  // The LSN that the records in the unit at `place` say it begins at; false: there are none.
  bool LsnOfUnit(const char* unit, uint64_t place, uint64_t* lsn) const;
  bool stopped() const {
    return stop_->load(std::memory_order_relaxed) ||  // Relaxed: soon is enough
           !file_->gone().ok();
  }

  const PageFile* const file_;
  PageTable* const table_;
  PageCounters* const counters_;
  const std::atomic<bool>* const stop_;
  CheckpointHead checkpoint_;
  int free_slot_ = 0;
};

}  // namespace lss
