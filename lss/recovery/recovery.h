// What a file and its ring say after a crash, and how the file is brought to exactly that.
//
// Reading merges, writing replays: ResolveTail only looks; Recover changes files, and is called
// before the first change to a directory's logs. Both act on the same verdict (judge.h).
//
// Crash safety of Recover itself: the bytes are written and synced, then the file is cut to its
// exact length and synced, then the ring goes. Killed or powered off at any point, the next run
// finds the same ring and does the same again (C16).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "lss/base/status.h"
#include "lss/base/warning_sink.h"
#include "lss/recovery/evidence.h"
#include "lss/recovery/facts.h"
#include "lss/recovery/judge.h"
#include "lss/recovery/ring_directory.h"
#include "lss/ring/ring_view.h"

namespace lss {

struct RecoveryContext {
  TailScanner scan;
  Witness witness;
  WarningSink warn;
};

// How to read a file that may have a ring.
struct ResolvedTail {
  RingCase ring_case = RingCase::kR9FileGone;
  // Whether the owner may go on writing (R2): then read merged with `ring`, up to what it has
  // committed by then.
  bool growing = false;
  // Set for R2, R3 and R14. Unless it is growing, `part` of it counts.
  std::shared_ptr<RingView> ring;
  RingPart part;
  // How long the stream is, file and ring together; of a growing one, how long the file is.
  uint64_t size = 0;
};

// What `fd`, open for reading at `path`, holds. NotSupported for R8: its bytes cannot be read by
// this version, and must not be passed over. A ring that cannot be opened is taken for none, with a
// warning.
Status ResolveTail(int fd, const std::string& path, const std::string& ring_path,
                   const RecoveryContext& context, ResolvedTail* result);

// Whether nothing that was accepted for the stream at `path` before one that follows it is lost, as
// far as can be told; what streams that follow hold counts only then.
Status IsWholeStream(const std::string& path, const std::string& ring_path,
                     const RecoveryContext& context, bool* whole);

struct RecoveredFile {
  std::string file;  // empty if the ring names none that is there
  RingCase ring_case = RingCase::kR9FileGone;
  uint64_t bytes_replayed = 0;
  uint64_t bytes_trimmed = 0;
};

// Brings every file whose owner is dead to its exact bytes and removes or sets aside its ring.
// `candidates` are paths of files that rings may belong to, in the order in which their bytes
// follow one another, oldest first. Rings of live owners are left alone. A file that this user may
// not write is replaced by a whole one of his; where he may not do that, it is left alone with its
// ring, with a warning: they are read together. OK if the directory does not exist. Stops at the
// first error; what was done stays done.
Status Recover(const std::string& ring_directory, const std::vector<std::string>& candidates,
               const RecoveryContext& context, std::vector<RecoveredFile>* recovered);

}  // namespace lss
