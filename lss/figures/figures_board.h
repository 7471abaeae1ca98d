// The figures of this process, where other programs can read them while it runs.
//
// They lie in a memory file without a name in any directory (memfd_create(2)): it needs no clean-up
// after a kill, is writable however full or frozen the disks are, and can be found among the
// process's open files by who may look at those. Where the kernel or a limit of the process refuses
// it, nobody else sees the figures.
//
// Thread safety: every method from any thread. A forked child has a board of its own.
#pragma once

#include <memory>
#include <string>

#include "lss/base/fork_guard.h"
#include "lss/base/mutex.h"
#include "lss/base/unique_fd.h"
#include "lss/figures/board_copy.h"
#include "lss/figures/board_format.h"

namespace lss {

class FiguresBoard {
 public:
  // As /proc/<pid>/fd shows it: "/memfd:" and this.
  static constexpr char kName[] = "bloom_lfs_figures";
  static constexpr uint32_t kSlots = kBoardSlots;

  // Made at its first use; never null, never destroyed.
  static FiguresBoard* OfProcess();

  FiguresBoard();
  ~FiguresBoard();
  FiguresBoard(const FiguresBoard&) = delete;
  FiguresBoard& operator=(const FiguresBoard&) = delete;

  // Figures for one stream. When the last pointer goes, they are added to those that are gone. If
  // all slots are taken, they are seen only then.
  std::shared_ptr<StreamFigures> Add(StreamKind kind, const std::string& path);
  ProcessFigures& process() { return header()->process; }
  // What there is now.
  BoardCopy Copy() const;

 private:
  BoardHeader* header() const;
  BoardSlot* slot(size_t index) const;
  void Retire(StreamKind kind, BoardSlot* slot, const StreamFigures* figures);
  void ForgetFreeSlotsAtTheEnd();

  const ForkGuard fork_guard_;
  UniqueFd fd_;
  char* memory_ = nullptr;                      // null: there was none
  std::unique_ptr<BoardHeader> without_slots_;  // instead
  mutable Mutex mutex_;                         // for who adds, retires or copies
};

}  // namespace lss
