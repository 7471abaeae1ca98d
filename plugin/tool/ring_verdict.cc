#include "plugin/tool/ring_verdict.h"

namespace bloom_lfs::tool {

using lss::RecoveryRule;
using lss::RingCase;

const char* OpeningDoes(RingCase ring_case) {
  switch (lss::RecoveryOf(ring_case)) {
    case RecoveryRule::kLeaveAlone:
      return "leaves it alone";
    case RecoveryRule::kRemoveRing:
      return "removes the ring";
    case RecoveryRule::kSetAside:
      return "sets the ring aside";
    case RecoveryRule::kReplay:
      return "writes the ring's bytes to the file, removes the ring";
    case RecoveryRule::kReplayProven:
      return "writes what is proven of the ring to the file, removes the ring";
    case RecoveryRule::kTrim:
      return "cuts the file behind its last whole record, removes the ring";
    case RecoveryRule::kTrimAndSetAside:
      return "cuts the file behind its last whole record, sets the ring aside";
    case RecoveryRule::kSyncFile:
      return "syncs the file, removes the ring";
    case RecoveryRule::kRefuse:
      return "fails: a later version of the plugin must open it";
  }
  return "";
}

const char* ReasonOf(RingCase ring_case) {
  switch (ring_case) {
    case RingCase::kR1Unfinished:
      return "its owner died before it accepted anything";
    case RingCase::kR2OwnerAlive:
      return "its owner is writing";
    case RingCase::kR3ProcessKilled:
      return "its owner was killed; the kernel has every byte that was accepted";
    case RingCase::kR4Closed:
      return "its owner closed the log; the file is complete";
    case RingCase::kR5MachineDown:
      return "the page cache was lost, or nothing of the ring continues the file: behind its last "
             "whole record nothing counts";
    case RingCase::kR6Damaged:
      return "its header is not what an owner leaves; it can prove nothing";
    case RingCase::kR7Foreign:
      return "it is of an earlier file that had the same inode number";
    case RingCase::kR8FutureVersion:
      return "a later version has written it, and only that can read what it holds";
    case RingCase::kR9FileGone:
      return "its log was deleted";
    case RingCase::kR10NotUsed:
      return "somebody has gone on without it, or its bytes cannot be shown to continue the file";
    case RingCase::kR11Busy:
      return "its owner is alive, and its bytes are not, or not yet, a log's here";
    case RingCase::kR12Orphan:
      return "its log is not here, and no file has its last bytes";
    case RingCase::kR13OtherKind:
      return "it is of a stream that is no file: whoever made that recovers it";
    case RingCase::kR14Proven:
      return "it is of another boot or a copy, and its records continue those of the file";
    case RingCase::kR15NotTrusted:
      return "somebody may have written it who may not write to the log";
  }
  return "";
}

}  // namespace bloom_lfs::tool
