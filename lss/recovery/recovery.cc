#include "lss/recovery/recovery.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <memory>
#include <utility>

#include "lss/base/file_identity.h"
#include "lss/base/posix_file.h"
#include "lss/base/unique_fd.h"
#include "lss/recovery/replay.h"
#include "lss/ring/ring_lock.h"
#include "lss/ring/ring_place.h"

namespace lss {
namespace {

// A ring, or a directory of rings, that this user may not look into is none: without the plugin
// nobody would look at it. What can be had later (descriptors, memory) is an error.
Status NoneIfForbidden(const RecoveryContext& context, const Status& status) {
  if (status.code() != Status::Code::kPermissionDenied) {
    return status;
  }
  if (context.warn) {
    context.warn(status.message() + "; the log is read as it is in the file");
  }
  return Status::FromErrno("open", "ring", -1, ENOENT);
}

// Opened once, judged and acted on by the same descriptor. A file that has gone since it was listed
// is no error: the ring names none, then.
Status OpenTarget(const std::string& path, const RecoveryContext& context, Examined* examined) {
  UniqueFd fd(open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!fd.valid() && (errno == EACCES || errno == EPERM || errno == EROFS)) {
    examined->write_error = errno;
    fd = UniqueFd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  }
  if (!fd.valid()) {
    return errno == ENOENT ? Status::Ok() : Status::FromErrno("open", path, -1, errno);
  }
  examined->file = std::make_unique<FileDevice>(std::move(fd), path, context.warn);
  examined->done.file = path;
  return Status::Ok();
}

// Where somebody else has the lock, that is an owner, or recovers: what it does would be done
// twice. A ring that this user may not write is acted on without.
void LockRing(const RingPlace& place, Examined* examined) {
  const RingView& ring = *examined->ring;
  UniqueFd fd;
  bool regular = false;
  FileIdentity opened;
  uint64_t size = 0;
  if (!place.OpenFile(BaseNameOf(ring.path()), O_RDWR, &fd, &regular).ok() ||
      !IdentifyFd(fd.get(), ring.path(), &opened, &size).ok()) {
    return;
  }
  // The name may have gone to another ring, perhaps one of this process: to close it would take its
  // lock away.
  if (opened.SameFile(ring.identity()) &&
      RingLock::Take(fd.get(), ring.path(), opened, RingLock::Purpose::kRecover, &examined->lock)
          .ok()) {
    examined->ring_file = std::move(fd);
  } else {
    CloseUnlessLocked(std::move(fd), opened);
  }
}

// Whether bytes that were accepted for the stream do not come to its file, so that those of later
// ones would come behind a gap.
bool IsIncomplete(const RingFacts& facts, const Evidence& evidence, const RingView& ring) {
  if (!evidence.file.in_succession) {
    return false;
  }
  switch (Judge(facts)) {
    case RingCase::kR5MachineDown:
    case RingCase::kR14Proven:
      return evidence.StopsShort(ring);
    case RingCase::kR10NotUsed: {
      const bool opaque = facts.content == ContentFound::kOpaque;
      // Who has gone on has decided where the stream ends: that is no gap.
      return !facts.superseded && (opaque ? ring.HoldsUnwritten() : evidence.StopsShort(ring));
    }
    default:
      return false;
  }
}

// A ring and the candidate that it names, null if there is none.
struct Found {
  std::unique_ptr<RingView> ring;
  const Candidate* target;
};

// Judges a ring; `earlier_incomplete`: a stream before it is.
Status Examine(const RingPlace& place, Found found, const RecoveryContext& context,
               bool earlier_incomplete, Examined* examined) {
  Status status;
  examined->ring = std::move(found.ring);
  const RingView& ring = *examined->ring;
  const Candidate* target = found.target;
  RingFacts facts = FactsOfRing(ring, target != nullptr ? target->identity.access : place.parent());
  if (facts.trusted) {
    LockRing(place, examined);
  }
  if (target != nullptr) {
    status = OpenTarget(target->path, context, examined);
  }
  if (status.ok() && examined->file != nullptr) {
    Witness witness = context.witness;
    witness.earlier_whole = [earlier_incomplete](const std::string&) {
      return !earlier_incomplete;
    };
    status = GatherFacts(examined->file->fd(), examined->done.file, ring, context.scan, witness,
                         &facts, &examined->evidence);
  }
  if (status.ok()) {
    examined->done.ring_case = Judge(facts);
    examined->part = PartOf(examined->done.ring_case, ring, examined->evidence);
    examined->incomplete = IsIncomplete(facts, examined->evidence, ring);
  }
  return status;
}

// Rings of candidates first, in the candidates' order; then those that belong to none.
Status OpenInOrder(const std::vector<std::string>& paths, const std::vector<Candidate>& candidates,
                   const RecoveryContext& context, std::vector<Found>* found) {
  for (const std::string& path : paths) {
    std::unique_ptr<RingView> ring;
    Status status = NoneIfForbidden(context, RingView::Open(path, &ring));
    if (status.ok()) {
      const Candidate* target = FindTarget(candidates, *ring);
      found->push_back({std::move(ring), target});
    } else if (status.code() != Status::Code::kNotFound) {
      return status;
    }
  }
  const Candidate* const end = candidates.data() + candidates.size();
  std::stable_sort(found->begin(), found->end(), [end](const Found& a, const Found& b) {
    return std::less<>()(a.target != nullptr ? a.target : end,
                         b.target != nullptr ? b.target : end);
  });
  return Status::Ok();
}

// Which verdict is carried out when: the oldest first, so that at no moment a later stream is
// complete in its file and an earlier one is not. But behind a gap nothing of a ring counts, and
// the ring of the stream with the gap is what tells of it: it goes last.
std::vector<size_t> OrderOfActing(const std::vector<Examined>& all) {
  std::vector<size_t> order;
  size_t gap = all.size();
  for (size_t i = 0; i < all.size(); ++i) {
    if (all[i].incomplete && gap == all.size()) {
      gap = i;
    } else {
      order.push_back(i);
    }
  }
  if (gap < all.size()) {
    order.push_back(gap);
  }
  return order;
}

// What creations that were killed have left.
void RemoveUnfinished(const RingPlace& place, const std::vector<std::string>& names) {
  const std::string suffix = std::string(kRingSuffix) + kUnfinishedSuffix;
  for (const std::string& name : names) {
    const bool unfinished = name.size() > suffix.size() &&
                            name.compare(name.size() - suffix.size(), suffix.size(), suffix) == 0;
    UniqueFd fd;
    bool regular = false;
    FileIdentity identity;
    uint64_t size = 0;
    if (unfinished && place.OpenFile(name, O_RDONLY, &fd, &regular).ok() && regular &&
        IdentifyFd(fd.get(), name, &identity, &size).ok()) {
      if (!IsOwnedHere(identity) && !IsOwnedElsewhere(fd.get(), identity)) {
        unlinkat(place.fd(), name.c_str(), 0);
      }
      CloseUnlessLocked(std::move(fd), identity);
    }
  }
}

Status RecoverAll(const RingPlace& place, const std::vector<std::string>& rings,
                  const std::vector<std::string>& paths, const RecoveryContext& context,
                  std::vector<RecoveredFile>* recovered) {
  const std::vector<Candidate> candidates = ExistingCandidates(paths);
  std::vector<Found> found;
  if (Status status = OpenInOrder(rings, candidates, context, &found); !status.ok()) {
    return status;
  }
  std::vector<Examined> all;
  bool incomplete = false;
  for (Found& ring : found) {
    Examined examined;
    if (Status status = Examine(place, std::move(ring), context, incomplete, &examined);
        !status.ok()) {
      return status;
    }
    incomplete = incomplete || examined.incomplete;
    all.push_back(std::move(examined));
  }
  for (const size_t i : OrderOfActing(all)) {
    bool acted = false;
    if (Status status = Act(context, &all[i], &acted); !status.ok()) {
      return status;
    }
    if (acted) {
      recovered->push_back(all[i].done);
    }
  }
  return Status::Ok();
}

}  // namespace

Status ResolveTail(int fd, const std::string& path, const std::string& ring_path,
                   const RecoveryContext& context, ResolvedTail* result) {
  FileIdentity identity;
  if (Status status = IdentifyFd(fd, path, &identity, &result->size); !status.ok()) {
    return status;
  }
  std::unique_ptr<RingView> ring;
  Status status = NoneIfForbidden(context, RingView::Open(ring_path, &ring));
  if (!status.ok()) {
    return status.code() == Status::Code::kNotFound ? Status::Ok() : status;
  }
  RingFacts facts;
  Evidence evidence;
  status = GatherFacts(fd, path, *ring, context.scan, context.witness, &facts, &evidence);
  if (!status.ok()) {
    return status;
  }
  result->ring_case = Judge(facts);
  switch (ReadingOf(result->ring_case)) {
    case ReadingRule::kFileAndRing:
    case ReadingRule::kProven:
      result->growing = result->ring_case == RingCase::kR2OwnerAlive;
      if (!result->growing) {
        result->part = PartOf(result->ring_case, *ring, evidence);
        result->size = result->part.end;
      }
      result->ring = std::move(ring);
      return Status::Ok();
    case ReadingRule::kRefuse:
      return FutureVersion(*ring);
    case ReadingRule::kWholeRecords:
      if (evidence.file.known && !evidence.LacksSynced(*ring, result->size)) {
        result->size = evidence.file.end;
      }
      return Status::Ok();
    case ReadingRule::kFile:
      break;
  }
  return Status::Ok();
}

Status IsWholeStream(const std::string& path, const std::string& ring_path,
                     const RecoveryContext& context, bool* whole) {
  *whole = true;
  std::unique_ptr<RingView> ring;
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid() || !RingView::Open(ring_path, &ring).ok()) {
    return Status::Ok();
  }
  RingFacts facts;
  Evidence evidence;
  Status status =
      GatherFacts(fd.get(), path, *ring, context.scan, context.witness, &facts, &evidence);
  *whole = !status.ok() || !IsIncomplete(facts, evidence, *ring);
  return status;
}

Status Recover(const std::string& ring_directory, const std::vector<std::string>& paths,
               const RecoveryContext& context, std::vector<RecoveredFile>* recovered) {
  RingPlace place;
  FileIdentity identity;
  uint64_t size = 0;
  Status status = NoneIfForbidden(context, RingPlace::Open(ring_directory, &place));
  if (!status.ok()) {
    return status.code() == Status::Code::kNotFound ? Status::Ok() : status;
  }
  status = IdentifyFd(place.fd(), ring_directory, &identity, &size);
  if (!status.ok()) {
    return status;
  }
  const MutexLock alone(RecoveryMutex(identity));
  std::vector<std::string> names;
  if (status = place.List(&names); !status.ok()) {
    return status;
  }
  status =
      RecoverAll(place, RingsOfOthers(place, ring_directory, names), paths, context, recovered);
  RemoveUnfinished(place, names);
  rmdir(ring_directory.c_str());  // if that was the last one
  return status;
}

}  // namespace lss
