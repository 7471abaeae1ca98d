// The one judge of what a ring says after a crash: a pure function from what was found to one of
// the labelled cases of lss/CRASHES.md, in the order of its table; and what a reader and recovery
// do in each case.
#pragma once

#include "lss/ring/ring_view.h"

namespace lss {

// What the ring names, among the files that it may belong to.
enum class TargetFound {
  kNone,      // nothing that is there
  kOther,     // a file has its inode number, but is another one
  kNamed,     // a file has its name, but another inode: a copy, or moved to another file system
  kSame,      // the file that the ring was made for
  kNotAFile,  // the ring belongs to a stream that is no file
};

// What the stream's records say, file and ring read as one.
enum class ContentFound {
  kOpaque,    // nobody can read them
  kDamaged,   // the file has damage that is no page that never arrived
  kNotWhole,  // they do not go on to the end that the ring promises
  kWhole,     // they do
};

// All that the verdict depends on. Fields below `owner_alive` count only with a whole header.
struct RingFacts {
  bool trusted = false;  // nobody can have written it who may not write to the file
  HeaderState header = HeaderState::kUnpublished;
  bool owner_alive = false;
  bool same_boot = false;        // the page cache that the owner wrote to may still be there
  bool words_agree = false;      // the live words are whole and do not contradict each other
  bool closed = false;           // the owner has closed the stream
  bool holds_unwritten = false;  // not closed, and some of its bytes are in the ring only
  TargetFound target = TargetFound::kNone;
  bool superseded = false;  // somebody else has gone on without this ring
  bool file_agrees = true;  // file and ring agree where both have bytes
  ContentFound content = ContentFound::kOpaque;
  bool adds = false;  // whole records of the ring continue those of the file
};

enum class RingCase {
  kR1Unfinished,     // header never published: nothing was accepted
  kR2OwnerAlive,     // the owner of this very file lives
  kR3ProcessKilled,  // same boot, live: file plus ring, all of it
  kR4Closed,         // same boot, closed: the file is complete
  kR5MachineDown,    // the file up to its last whole record
  kR6Damaged,        // the header is not what an owner leaves
  kR7Foreign,        // belongs to another file: a reused inode number
  kR8FutureVersion,  // written by a later version of this library
  kR9FileGone,       // its file is not there any more, and nothing is lost with it
  kR10NotUsed,       // has bytes that must not, or cannot be shown to, continue the file
  kR11Busy,          // its owner lives, and its bytes are not (yet) this file's
  kR12Orphan,        // as R9, but the ring has bytes that no file has
  kR13OtherKind,     // belongs to a stream that is no file: whoever made it recovers it
  kR14Proven,        // the file, and what of the ring is shown to continue it
  kR15NotTrusted,    // anybody may have written it
};
inline constexpr int kRingCases = static_cast<int>(RingCase::kR15NotTrusted) + 1;
// "R3 process killed".
const char* NameOf(RingCase ring_case);

RingCase Judge(const RingFacts& facts);

// Whether the verdict hinges on what can only be found out from the file and the ring's buffers,
// which is dear: on `superseded` and what is below it. Where it does not, they may be left as they
// are.
bool HingesOnContent(const RingFacts& facts);

// What a reader takes for the stream.
enum class ReadingRule {
  kFile,          // the file as it is
  kFileAndRing,   // both, up to `committed`
  kProven,        // both, as far as that is proven
  kWholeRecords,  // the file up to the end of its last whole record
  kRefuse,        // NotSupported
};
ReadingRule ReadingOf(RingCase ring_case);

// What happens before the first change to the directory's logs.
enum class RecoveryRule {
  kLeaveAlone,
  kRemoveRing,
  kSetAside,      // with one warning
  kReplay,        // bytes written, synced, cut, synced; ring removed
  kReplayProven,  // the same with what is proven
  kTrim,          // cut behind the last whole record, synced; ring removed
  kTrimAndSetAside,
  kSyncFile,  // ring removed afterwards
  kRefuse,    // NotSupported, nothing touched
};
RecoveryRule RecoveryOf(RingCase ring_case);

}  // namespace lss
