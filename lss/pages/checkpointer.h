// Writes checkpoints of the mapping table, a block at a time, so that whoever has other things to
// do can do them in between.
//
// Thread safety: by one thread at a time. The table may change meanwhile.
#pragma once

#include <cstdint>

#include "lss/base/page_buffer.h"
#include "lss/base/status.h"
#include "lss/pages/checkpoint_format.h"
#include "lss/pages/page_figures.h"
#include "lss/pages/page_file.h"
#include "lss/pages/page_table.h"

namespace lss {

class Checkpointer {
 public:
  // `newest`: the checkpoint that is there; `free_slot`: where it is not. Nothing is owned.
  Checkpointer(const PageFile* file, const PageTable* table, PageCounters* counters,
               const CheckpointHead& newest, int free_slot)
      : file_(file), table_(table), counters_(counters), newest_(newest), slot_(free_slot) {}

  // Where the log stood at the newest finished checkpoint.
  uint64_t last_log_end() const { return newest_.log_end; }
  bool running() const { return running_; }
  // `recovery_start`: no page at or above it has been seen on flash by the table yet, or will be
  // in the copy for certain. REQUIRES: not running.
  void Begin(uint64_t recovery_start, uint64_t log_end);
  // The next block, or the end. REQUIRES: running. An error: this checkpoint is given up, the one
  // before it stands.
  Status Step();
  // Notes in the file that the table is empty, if there is no checkpoint in it yet.
  Status WriteEmpty();

 private:
  Status WriteBlock();
  Status WriteHead(const CheckpointHead& head);
  Status WriteAt(uint64_t offset, uint64_t bytes);

  const PageFile* const file_;
  const PageTable* const table_;
  PageCounters* const counters_;
  CheckpointHead newest_;
  int slot_;
  bool running_ = false;
  CheckpointHead next_;
  uint64_t next_block_ = 0;
  PageBuffer buffer_;
};

}  // namespace lss
