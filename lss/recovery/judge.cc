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
    {RingCase::kR10NotUsed, "R10 not used", ReadingRule::kWholeRecords,
     RecoveryRule::kTrimAndSetAside},
    {RingCase::kR11Busy, "R11 busy", ReadingRule::kFile, RecoveryRule::kLeaveAlone},
    {RingCase::kR12Orphan, "R12 orphan", ReadingRule::kFile, RecoveryRule::kSetAside},
    {RingCase::kR13OtherKind, "R13 other kind", ReadingRule::kFile, RecoveryRule::kLeaveAlone},
    {RingCase::kR14Proven, "R14 proven", ReadingRule::kProven, RecoveryRule::kReplayProven},
    {RingCase::kR15NotTrusted, "R15 not trusted", ReadingRule::kFile, RecoveryRule::kLeaveAlone},
};

constexpr bool InOrder() {
  for (int i = 0; i < kRingCases; ++i) {
    if (static_cast<int>(kRows[i].ring_case) != i) {
      return false;
    }
  }
  return true;
}
static_assert(InOrder(), "a row is found by its case");

const Row& RowOf(RingCase ring_case) { return kRows[static_cast<int>(ring_case)]; }

// The file is there, and its owner is dead.
RingCase JudgeBytes(const RingFacts& facts) {
  const bool same_page_cache =
      facts.same_boot && facts.words_agree && facts.target == TargetFound::kSame;
  const bool file_is_theirs =
      same_page_cache && facts.file_agrees && facts.content != ContentFound::kNotWhole;
  if (file_is_theirs && facts.closed) {
    return RingCase::kR4Closed;
  }
  if (facts.superseded && (facts.adds || facts.holds_unwritten)) {
    return RingCase::kR10NotUsed;
  }
  if (file_is_theirs) {
    return RingCase::kR3ProcessKilled;
  }
  if (facts.adds) {
    return RingCase::kR14Proven;
  }
  const bool contradicts = same_page_cache && !facts.file_agrees && !facts.closed;
  const bool unproven = facts.content == ContentFound::kOpaque && facts.holds_unwritten;
  return contradicts || unproven ? RingCase::kR10NotUsed : RingCase::kR5MachineDown;
}

}  // namespace

const char* NameOf(RingCase ring_case) { return RowOf(ring_case).name; }
ReadingRule ReadingOf(RingCase ring_case) { return RowOf(ring_case).reading; }
RecoveryRule RecoveryOf(RingCase ring_case) { return RowOf(ring_case).recovery; }

RingCase Judge(const RingFacts& facts) {
  const bool whole = facts.header == HeaderState::kWhole;
  if (!facts.trusted) {
    return RingCase::kR15NotTrusted;
  }
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
  if (!whole) {
    return RingCase::kR6Damaged;
  }
  switch (facts.target) {
    case TargetFound::kNotAFile:
      return RingCase::kR13OtherKind;
    case TargetFound::kNone:
      return facts.holds_unwritten ? RingCase::kR12Orphan : RingCase::kR9FileGone;
    case TargetFound::kOther:
      return RingCase::kR7Foreign;
    case TargetFound::kNamed:
    case TargetFound::kSame:
      break;
  }
  return JudgeBytes(facts);
}

bool HingesOnContent(const RingFacts& facts) {
  RingFacts best = facts;
  best.superseded = false;
  best.file_agrees = true;
  best.content = ContentFound::kWhole;
  RingFacts worst = facts;
  worst.superseded = true;
  worst.file_agrees = false;
  worst.adds = true;
  return Judge(best) != Judge(worst);
}

}  // namespace lss
