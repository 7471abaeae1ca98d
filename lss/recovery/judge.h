// The one judge of what a ring says after a crash: a pure function from what was found to one of
// the labelled cases of lss/CRASHES.md, in the order of its table; and what a reader and recovery
// do in each case.
#pragma once

#include "lss/ring/ring_view.h"

namespace lss {

// What the ring names, among the files that it may belong to.
enum class TargetFound {
  kNone,      // no file with this inode is there
  kOther,     // a file has its inode number, but is not the one: a copy, a reused number
  kSame,      // the file that the ring was made for
  kNotAFile,  // the ring belongs to a stream that is no file
};

// All that the verdict depends on. Fields below `owner_alive` count only with a whole header.
struct RingFacts {
  HeaderState header = HeaderState::kUnpublished;
  bool owner_alive = false;      // its lock is held
  bool same_boot = false;        // the page cache that the owner wrote to is still there
  bool words_agree = false;      // the live words are whole and do not contradict each other
  bool closed = false;           // the owner has closed the stream
  bool holds_unwritten = false;  // not closed, and some of its bytes are in the ring only
  TargetFound target = TargetFound::kNone;
  bool file_agrees = true;  // file and ring agree where both have bytes
  bool superseded = false;  // somebody else has gone on without this ring
};

enum class RingCase {
  kR1Unfinished,      // header never published: nothing was accepted
  kR2OwnerAlive,      // the owner of this very file holds the lock
  kR3ProcessKilled,   // same boot, live: file plus ring
  kR4Closed,          // same boot, closed: the file is complete
  kR5MachineDown,     // another boot: the file up to its last whole record
  kR6Damaged,         // header or live words are not what an owner leaves
  kR7Foreign,         // belongs to another file: a copied directory, a reused inode number
  kR8FutureVersion,   // written by a later version of this library
  kR9FileGone,        // no file with this inode is there any more, and nothing is lost with it
  kR10Contradiction,  // the file was changed by somebody else after the owner's death
  kR11Busy,           // the lock is held by somebody whose bytes are not (yet) this file's
  kR12Orphan,         // as R9, but the ring has bytes that no file has
  kR13OtherKind,      // belongs to a stream that is no file: whoever made it recovers it
};
inline constexpr int kRingCases = static_cast<int>(RingCase::kR13OtherKind) + 1;
// "R3 process killed".
const char* NameOf(RingCase ring_case);

RingCase Judge(const RingFacts& facts);

// Whether the verdict hinges on `target`, in a dead owner's ring; where it does not, no file need
// be looked for.
bool HingesOnTarget(const RingFacts& facts);
// Whether the verdict hinges on `file_agrees` and `superseded`, which are dear to find out; where
// it does not, they may be left as they are.
bool HingesOnContent(const RingFacts& facts);

// What a reader takes for the stream.
enum class ReadingRule {
  kFile,          // the file as it is
  kFileAndRing,   // both, up to `committed`
  kWholeRecords,  // the file up to the end of its last whole record
  kRefuse,        // NotSupported
};
ReadingRule ReadingOf(RingCase ring_case);

// What happens before the first change to the directory's logs.
enum class RecoveryRule {
  kLeaveAlone,
  kRemoveRing,
  kSetAside,  // with one warning
  kReplay,    // bytes written, synced, cut, synced; ring removed
  kTrim,      // cut behind the last whole record, synced; ring removed
  kSyncFile,  // ring removed afterwards
  kRefuse,    // NotSupported, nothing touched
};
RecoveryRule RecoveryOf(RingCase ring_case);

}  // namespace lss
