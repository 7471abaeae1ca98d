// What a file and its ring say after a crash, and how the file is brought to exactly that.
//
// Reading merges, writing replays: ResolveTail only looks; Recover changes the file, and is called
// before the first change to a directory's logs. Both act on the same verdict (judge.h).
//
// Crash safety of Recover itself: the bytes are written and synced, then the file is cut to its
// exact length and synced, then the ring goes. Killed or powered off at any point, the next run
// finds the same ring and does the same again (C16).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "lss/base/status.h"
#include "lss/base/warning_sink.h"
#include "lss/recovery/facts.h"
#include "lss/recovery/judge.h"
#include "lss/recovery/ring_directory.h"
#include "lss/ring/ring_view.h"

namespace lss {

// Finds the end of the last whole record of a file, for the machine-crash case: the store does not
// know records. Must not report an end inside a record. Reads through `fd`.
using TailScanner =
    std::function<Status(int fd, const std::string& name, uint64_t size, uint64_t* end)>;

struct RecoveryContext {
  TailScanner scan;
  StillCurrent still_current;
  WarningSink warn;
};

// How to read a file that may have a ring.
struct ResolvedTail {
  RingCase ring_case = RingCase::kR9FileGone;
  // Set for R2 and R3: read merged with it, up to ring->committed().
  std::shared_ptr<RingView> ring;
  // For R5: the file counts up to here. Otherwise its own size.
  uint64_t size = 0;
};

// What `fd`, open for reading at `path`, holds. NotSupported for R8: its bytes cannot be read by
// this version, and must not be passed over.
Status ResolveTail(int fd, const std::string& path, const std::string& ring_path,
                   const RecoveryContext& context, ResolvedTail* result);

struct RecoveredFile {
  std::string file;  // empty if the ring names none that is there
  RingCase ring_case = RingCase::kR9FileGone;
  uint64_t bytes_replayed = 0;
  uint64_t bytes_trimmed = 0;
};

// Brings every file whose owner is dead to its exact bytes and removes or sets aside its ring.
// `candidates` are paths of files that rings may belong to, in the order in which their rings are
// to be handled: oldest log first, so that an interrupted recovery never leaves an old ring beside
// a newer log that has lost its own (see StillCurrent). Rings of live owners are left alone. OK if
// the directory does not exist. Stops at the first error; what was done stays done.
Status Recover(const std::string& ring_directory, const std::vector<std::string>& candidates,
               const RecoveryContext& context, std::vector<RecoveredFile>* recovered);

}  // namespace lss
