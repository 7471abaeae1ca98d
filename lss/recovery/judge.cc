#include "lss/recovery/judge.h"

namespace lss {
namespace {

struct Row {
  RingCase ring_case;
  const char* name;
  ReadingRule reading;
  RecoveryRule recovery;
};

// The columns of the table in lss/CRASHES.md that say what to do.
constexpr Row kRows[kRingCases] = {
    {RingCase::kR1Unfinished, "R1 unfinished", ReadingRule::kFile, RecoveryRule::kRemoveRing},
    {RingCase::kR2OwnerAlive, "R2 owner alive", ReadingRule::kFileAndRing,
     RecoveryRule::kLeaveAlone},
    {RingCase::kR3ProcessKilled, "R3 process killed", ReadingRule::kFileAndRing,
     RecoveryRule::kReplay},
    {RingCase::kR4Closed, "R4 closed", ReadingRule::kFile, RecoveryRule::kSyncFile},
    {RingCase::kR5MachineDown, "R5 machine down", ReadingRule::kWholeRecords, RecoveryRule::kTrim},
    {RingCase::kR6Damaged, "R6 damaged", ReadingRule::kFile, RecoveryRule::kSetAside},
    {RingCase::kR7Foreign, "R7 foreign", ReadingRule::kFile, RecoveryRule::kSetAside},
    {RingCase::kR8FutureVersion, "R8 future version", ReadingRule::kRefuse, RecoveryRule::kRefuse},
    {RingCase::kR9FileGone, "R9 file gone", ReadingRule::kFile, RecoveryRule::kRemoveRing},
    {RingCase::kR10Contradiction, "R10 contradiction", ReadingRule::kFile, RecoveryRule::kSetAside},
    {RingCase::kR11Busy, "R11 busy", ReadingRule::kFile, RecoveryRule::kLeaveAlone},
    {RingCase::kR12Orphan, "R12 orphan", ReadingRule::kFile, RecoveryRule::kSetAside},
    {RingCase::kR13OtherKind, "R13 other kind", ReadingRule::kFile, RecoveryRule::kLeaveAlone},
};

constexpr bool RowsStandAtTheirNumbers() {
  for (int i = 0; i < kRingCases; ++i) {
    if (static_cast<int>(kRows[i].ring_case) != i) {
      return false;
    }
  }
  return true;
}
static_assert(RowsStandAtTheirNumbers(), "a case is the index of its row");

const Row& RowOf(RingCase ring_case) { return kRows[static_cast<int>(ring_case)]; }

}  // namespace

const char* NameOf(RingCase ring_case) { return RowOf(ring_case).name; }
ReadingRule ReadingOf(RingCase ring_case) { return RowOf(ring_case).reading; }
RecoveryRule RecoveryOf(RingCase ring_case) { return RowOf(ring_case).recovery; }

RingCase Judge(const RingFacts& facts) {
  const bool whole = facts.header == HeaderState::kWhole;
  if (facts.header == HeaderState::kFutureVersion) {
    return RingCase::kR8FutureVersion;
  }
  if (facts.owner_alive) {
    return whole && facts.target == TargetFound::kSame ? RingCase::kR2OwnerAlive
                                                       : RingCase::kR11Busy;
  }
  if (facts.header == HeaderState::kUnpublished) {
    return RingCase::kR1Unfinished;
  }
  // After another boot the words are whatever reached the disk, and nothing is read from them.
  if (!whole || (facts.same_boot && !facts.words_agree)) {
    return RingCase::kR6Damaged;
  }
  switch (facts.target) {
    case TargetFound::kNotAFile:
      return RingCase::kR13OtherKind;
    case TargetFound::kNone:
      return facts.holds_unwritten ? RingCase::kR12Orphan : RingCase::kR9FileGone;
    case TargetFound::kOther:
      return RingCase::kR7Foreign;
    case TargetFound::kSame:
      break;
  }
  if (!facts.same_boot) {
    return RingCase::kR5MachineDown;
  }
  if (facts.closed) {
    return RingCase::kR4Closed;
  }
  return facts.file_agrees && !facts.superseded ? RingCase::kR3ProcessKilled
                                                : RingCase::kR10Contradiction;
}

bool HingesOnTarget(const RingFacts& facts) {
  // A live owner is left alone, whatever its ring names.
  if (facts.owner_alive || facts.target == TargetFound::kNotAFile) {
    return false;
  }
  RingFacts same = facts;
  same.target = TargetFound::kSame;
  RingFacts none = facts;
  none.target = TargetFound::kNone;
  return Judge(same) != Judge(none);
}

bool HingesOnContent(const RingFacts& facts) {
  RingFacts best = facts;
  best.file_agrees = true;
  best.superseded = false;
  RingFacts worst = facts;
  worst.file_agrees = false;
  return Judge(best) != Judge(worst);
}

}  // namespace lss
