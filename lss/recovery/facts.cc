#include "lss/recovery/facts.h"

#include <algorithm>
#include <cstring>

#include "lss/base/posix_file.h"
#include "lss/base/zeros.h"

namespace lss {

std::vector<Candidate> ExistingCandidates(const std::vector<std::string>& paths) {
  std::vector<Candidate> candidates;
  for (const std::string& path : paths) {
    FileIdentity identity;
    uint64_t size = 0;
    if (IdentifyPath(path, &identity, &size).ok()) {
      candidates.push_back({path, identity});
    }
  }
  return candidates;
}

namespace {

// Whether the ring's file was deleted, as another one has got its inode number. Of a ring that may
// itself be a copy, nothing is known: restored in place, a copy may get the number of the original.
bool HasGone(const RingView& ring, const FileIdentity& found) {
  return ring.target().file.HasGoneFor(found) && ring.IsOriginal();
}

}  // namespace

const Candidate* FindTarget(const std::vector<Candidate>& candidates, const RingView& ring) {
  if (ring.header_state() != HeaderState::kWhole || ring.target().kind != StreamId::Kind::kFile) {
    return nullptr;
  }
  const FileIdentity file = ring.target().file;
  const std::string name = ring.stream_name();
  const Candidate* with_name = nullptr;
  const Candidate* with_inode = nullptr;
  for (const Candidate& candidate : candidates) {
    const bool named = !name.empty() && BaseNameOf(candidate.path) == name;
    // Without birth times another disk's file may have both numbers.
    const bool surely = named || name.empty() || file.birth_time_ns != 0;
    if (surely && file.SameFile(candidate.identity)) {
      return &candidate;
    }
    if (named && !HasGone(ring, candidate.identity)) {
      with_name = &candidate;
    }
    if (candidate.identity.inode == file.inode) {
      with_inode = &candidate;
    }
  }
  return with_name != nullptr ? with_name : with_inode;
}

RingFacts FactsOfRing(const RingView& ring, const FileAccess& log) {
  RingFacts facts;
  facts.trusted = ring.TrustedFor(log);
  facts.owner_alive = ring.OwnerAlive();
  facts.header = ring.header_state();
  if (facts.header != HeaderState::kWhole) {
    return facts;
  }
  facts.same_boot = ring.SameBoot();
  facts.closed = ring.closed();
  facts.holds_unwritten = ring.HoldsUnwritten();
  facts.words_agree = !facts.owner_alive && ring.LiveWordsAgree();
  if (ring.target().kind != StreamId::Kind::kFile) {
    facts.target = TargetFound::kNotAFile;
  }
  return facts;
}

namespace {

TargetFound Compare(const RingView& ring, const std::string& path, const FileIdentity& identity) {
  const FileIdentity file = ring.target().file;
  if (file.SameFile(identity)) {
    return TargetFound::kSame;
  }
  if (HasGone(ring, identity)) {
    return TargetFound::kOther;
  }
  if (!ring.stream_name().empty() && ring.stream_name() == BaseNameOf(path)) {
    return TargetFound::kNamed;
  }
  return file.inode == identity.inode ? TargetFound::kOther : TargetFound::kNone;
}

ContentFound ContentOf(const Evidence& evidence) {
  switch (evidence.content) {
    case Evidence::Content::kOpaque:
      return ContentFound::kOpaque;
    case Evidence::Content::kDamaged:
      return ContentFound::kDamaged;
    case Evidence::Content::kNotWhole:
      break;
    case Evidence::Content::kWhole:
      return ContentFound::kWhole;
  }
  return ContentFound::kNotWhole;
}

// Whether somebody has put another file in the log's place, say out of a backup, and left the ring
// that the log's owner has made: such a file is shorter than what the owner has written. In a copy
// of both, or in a snapshot that was taken while they were written, the ring may be ahead of the
// file.
bool PutInPlace(const RingView& ring, const RingFacts& facts, uint64_t size) {
  const bool original = facts.target == TargetFound::kNamed
                            ? ring.IsOriginal()
                            : ring.IsOriginalInPlace() && facts.same_boot && facts.words_agree;
  return original && !facts.closed && size < std::min(ring.hi_stable(), ring.committed());
}

// Nothing that the ring has counts. What nobody can read is not dropped for that: the gap shows
// that no page cache vouches for it.
void PutBehindGap(RingFacts* facts) {
  facts->adds = false;
  if (facts->content == ContentFound::kOpaque) {
    facts->same_boot = false;
  } else {
    facts->content = ContentFound::kNotWhole;
  }
}

}  // namespace

Status GatherFacts(int fd, const std::string& path, const RingView& ring, const TailScanner& scan,
                   const Witness& witness, RingFacts* facts, Evidence* evidence) {
  FileIdentity identity;
  uint64_t size = 0;
  if (Status status = IdentifyFd(fd, path, &identity, &size); !status.ok()) {
    return status;
  }
  *facts = FactsOfRing(ring, identity.access);
  if (facts->owner_alive && !ring.OwnedHere() && witness.no_owner_elsewhere != nullptr &&
      witness.no_owner_elsewhere(path)) {
    facts->owner_alive = false;
    facts->words_agree = facts->header == HeaderState::kWhole && ring.LiveWordsAgree();
  }
  if (facts->header != HeaderState::kWhole || facts->target == TargetFound::kNotAFile) {
    return Status::Ok();
  }
  facts->target = Compare(ring, path, identity);
  if (!HingesOnContent(*facts)) {
    return Status::Ok();
  }
  Status status = FindEvidence(fd, path, ring, scan, evidence);
  if (status.ok() && facts->closed) {
    facts->file_agrees = size == ring.committed();
  } else if (status.ok()) {
    status = CheckAgreement(fd, path, ring, &facts->file_agrees);
  }
  if (!status.ok()) {
    return status;
  }
  if (ring.failed()) {
    facts->header = HeaderState::kDamaged;  // it could not be read to its end
    return Status::Ok();
  }
  facts->content = ContentOf(*evidence);
  facts->adds = evidence->adds();
  if (evidence->file.in_succession && witness.earlier_whole != nullptr &&
      !witness.earlier_whole(path)) {
    PutBehindGap(facts);
  }
  facts->superseded =
      PutInPlace(ring, *facts, size) ||
      (witness.current != nullptr && !witness.current(path, ring, evidence->last_number));
  return Status::Ok();
}

Status CheckAgreement(int fd, const std::string& name, const RingView& ring, bool* agrees) {
  constexpr size_t kStep = 64 << 10;
  static_assert(kStep <= kZerosBytes);
  FileIdentity identity;
  uint64_t size = 0;
  if (Status status = IdentifyFd(fd, name, &identity, &size); !status.ok()) {
    return status;
  }
  const Address stable = ring.hi_stable();
  const Address committed = ring.committed();
  // Below both the file has the bytes. (An interrupted recovery may have cut off what is above
  // `committed` already.)
  *agrees = size >= std::min(stable, committed);
  std::vector<char> in_file(kStep);
  std::vector<char> in_ring(kStep);
  for (Address at = std::min({ring.Oldest(), stable, committed}); *agrees && at < size;) {
    const size_t want = std::min<uint64_t>(kStep, size - at);
    const size_t held = ring.CopyOut(at, want, size, in_ring.data());
    // Behind the ring's end there can be megabytes of zeros: not page by page.
    const size_t unheld =
        at >= ring.End() ? want : std::min<uint64_t>(want, PageFloor(at) + kPageBytes - at);
    const size_t length = held > 0 ? held : unheld;
    size_t read = 0;
    if (Status status = ReadFully(fd, name, at, length, in_file.data(), &read); !status.ok()) {
      return status;
    }
    // Nearly always one of the two, and then there is no need to go byte by byte.
    const bool all_same = read <= held && std::memcmp(in_file.data(), in_ring.data(), read) == 0;
    const bool all_zeros = held == 0 && at >= std::min(stable, committed) &&
                           std::memcmp(in_file.data(), Zeros(), read) == 0;
    for (size_t i = all_same || all_zeros ? read : 0; i < read && *agrees; ++i) {
      const bool same = i < held && in_file[i] == in_ring[i];
      const bool must_be_same = at + i < std::min(stable, committed);
      // Of an append larger than the ring that never came to an end.
      const bool unknown = held == 0 && at + i < stable;
      *agrees = same || unknown || (!must_be_same && in_file[i] == 0);
    }
    at += length;
    if (read < length) {
      break;
    }
  }
  return Status::Ok();
}

}  // namespace lss
