#include "lss/recovery/facts.h"

#include <algorithm>
#include <cstring>

#include "lss/base/file_identity.h"
#include "lss/base/posix_file.h"
#include "lss/base/zeros.h"

namespace lss {

RingFacts FactsOfRing(const RingView& ring) {
  RingFacts facts;
  facts.owner_alive = ring.OwnerAlive();
  facts.header = ring.header_state();
  if (facts.header != HeaderState::kWhole) {
    return facts;
  }
  facts.same_boot = ring.SameBoot();
  facts.closed = ring.closed();
  facts.holds_unwritten = !facts.closed && ring.committed() > ring.hi_stable();
  facts.words_agree = !facts.owner_alive && ring.LiveWordsAgree();
  if (ring.target().kind != StreamId::Kind::kFile) {
    facts.target = TargetFound::kNotAFile;
  }
  return facts;
}

std::vector<Candidate> ExistingCandidates(const std::vector<std::string>& paths) {
  std::vector<Candidate> candidates;
  for (const std::string& path : paths) {
    FileIdentity identity;
    uint64_t size = 0;
    if (IdentifyPath(path, &identity, &size).ok()) {
      candidates.push_back({path, identity.inode});
    }
  }
  return candidates;
}

std::string FindTarget(const std::vector<Candidate>& candidates, const RingView& ring) {
  if (ring.header_state() != HeaderState::kWhole || ring.target().kind != StreamId::Kind::kFile) {
    return {};
  }
  const uint64_t inode = ring.target().file.inode;
  const auto found =
      std::find_if(candidates.begin(), candidates.end(),
                   [inode](const Candidate& candidate) { return candidate.inode == inode; });
  return found == candidates.end() ? std::string() : found->path;
}

Status GatherFacts(int fd, const std::string& path, const RingView& ring,
                   const StillCurrent& still_current, RingFacts* facts) {
  *facts = FactsOfRing(ring);
  if (facts->header != HeaderState::kWhole || facts->target == TargetFound::kNotAFile) {
    return Status::Ok();
  }
  FileIdentity identity;
  uint64_t size = 0;
  if (Status status = IdentifyFd(fd, path, &identity, &size); !status.ok()) {
    return status;
  }
  facts->target = ring.target().file.SameFile(identity) ? TargetFound::kSame : TargetFound::kOther;
  if (!HingesOnContent(*facts)) {
    return Status::Ok();
  }
  if (Status status = CheckAgreement(fd, path, ring, &facts->file_agrees); !status.ok()) {
    return status;
  }
  facts->superseded = facts->file_agrees && still_current != nullptr && !still_current(path, ring);
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
