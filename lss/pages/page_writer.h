// The one who writes pages to the log: takes them out of memory in the order of the policy, makes
// room by cleaning, and tells the table where they are once they are there.
//
// Thread safety: by one thread at a time, beside those who look up and insert.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>

#include "lss/base/page_buffer.h"
#include "lss/pages/admission.h"
#include "lss/pages/page_figures.h"
#include "lss/pages/page_log.h"
#include "lss/pages/page_space.h"

namespace lss {

class PageWriter {
 public:
  struct Options {
    PagePolicy policy = PagePolicy::kS3Fifo;
    Admit admit = Admit::kAuto;
    uint64_t write_rate = 0;
  };
  // Nothing is owned. The log is as PageLog::Open has left it.
  PageWriter(PageSpace* space, PageLog* log, PageCounters* counters, const Options& options);

  // Lets those pages leave memory that have to. `all`: each of them, to the flash, whatever the
  // policy says. An error is final.
  Status Step(int64_t now_ns, bool all);
  // Gives up what is in memory: nothing is written any more.
  void DropAll();
  // Tells the table what has arrived. False: nothing had.
  bool NoteArrivals();
  // Whether pages are in memory that Step would move, or on their way.
  bool idle() const { return staged_.empty() && pending_.empty(); }
  // Below it, no page is in the log that the table does not know on flash.
  uint64_t known_below() const { return pending_.empty() ? log_->head() : pending_.front().lsn; }

 private:
  // On its way to the file.
  struct Pending {
    uint64_t lsn = 0;
    uint32_t bytes = 0;
    uint64_t index = 0;
    uint32_t frame =
        FramePool::kNone;  // kNone: written again from the log, from `old_word`'s place
    PageWord old_word;
  };
  bool MustLeave(bool all) const;
  bool GetsAnotherChance(uint32_t frame);
  Status Leave(uint32_t frame, int64_t now_ns, bool all);
  void Drop(uint32_t frame);
  Status Write(uint32_t frame);
  // Whether the table's word at the frame's index still names it.
  bool StillThere(uint32_t frame, PageWord* word) const;
  bool log_full() const { return log_->head() >= space_->file->layout().log.bytes; }
  Status MakeRoom(uint64_t end);
  Status CleanUnit();
  Status CleanUnitAt(uint64_t lsn);
  Status CleanPage(const RecordWalk::Record& record, uint64_t* rewritten);
  Status Rewrite(const RecordWalk::Record& record, const PageTable::Found& found);
  void Arrive(const Pending& pending);

  PageSpace* const space_;
  PageLog* const log_;
  PageCounters* const counters_;
  const Options options_;
  WriteRate rate_;
  std::deque<uint32_t> staged_;  // frames, oldest first
  std::deque<Pending> pending_;  // by LSN
  PageBuffer unit_;
};

}  // namespace lss
