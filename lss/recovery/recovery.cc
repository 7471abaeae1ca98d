#include "lss/recovery/recovery.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>

#include "lss/base/file_identity.h"
#include "lss/base/unique_fd.h"
#include "lss/device/file_device.h"
#include "lss/ring/ring_memory.h"

namespace lss {
namespace {

constexpr size_t kReplayStep = 256 << 10;

void Warn(const RecoveryContext& context, const std::string& line) {
  if (context.warn) {
    context.warn(line);
  }
}

Status FutureVersion(const RingView& ring) {
  return Status::NotSupported(
      "ring file " + ring.path() +
      " was written by a later version of bloom_lfs; open the database once with that version, or "
      "move the ring file away to give up the bytes that are only in it");
}

// Bytes first, then the exact size, each synced: at no point does the file have zeros inside a
// record with the ring gone.
Status CutTo(FileDevice* file, uint64_t size) {
  Status status = file->Sync();
  if (status.ok()) {
    status = file->SetSize(size);
  }
  return status.ok() ? file->Sync() : status;
}

Status Replay(const RingView& ring, FileDevice* file, RecoveredFile* done) {
  const Address end = ring.committed();
  // Above `end` for a record larger than the ring that was on its way: nothing to write, only to
  // cut.
  Address at = ring.hi_stable();
  std::vector<char> bytes(kReplayStep);
  while (at < end) {
    const size_t got = ring.CopyOut(at, bytes.size(), end, bytes.data());
    if (got == 0) {
      return Status::Corruption("ring " + ring.path() + " does not hold offset " +
                                std::to_string(at) + " of " + file->name());
    }
    if (Status status = file->Write({{bytes.data(), got}}, at, WriteKind::kPlain); !status.ok()) {
      return status;
    }
    at += got;
    done->bytes_replayed += got;
  }
  return CutTo(file, end);
}

// Where the file's last whole record ends, for R5. False if synced bytes do not parse: that is
// damage (or a format we do not know), not a torn tail.
Status FindWholeEnd(int fd, const std::string& path, const RingView& ring, const TailScanner& scan,
                    uint64_t size, uint64_t* end, bool* plausible) {
  *end = size;
  if (scan != nullptr) {
    if (Status status = scan(fd, path, size, end); !status.ok()) {
      return status;
    }
  }
  *plausible = *end >= std::min<uint64_t>(ring.durable(), size);
  return Status::Ok();
}

Status Trim(const RingView& ring, const RecoveryContext& context, FileDevice* file,
            RecoveredFile* done) {
  StreamId id;
  uint64_t size = 0;
  if (Status status = file->Identify(&id, &size); !status.ok()) {
    return status;
  }
  uint64_t end = 0;
  bool plausible = false;
  if (Status status =
          FindWholeEnd(file->fd(), file->name(), ring, context.scan, size, &end, &plausible);
      !status.ok()) {
    return status;
  }
  if (!plausible) {
    Warn(context, file->name() + " is damaged at offset " + std::to_string(end) +
                      ", below offset " + std::to_string(ring.durable()) +
                      " that was synced; left as it is");
    return Status::Ok();
  }
  done->bytes_trimmed = size - end;
  return CutTo(file, end);
}

void SetAside(const RingView& ring, const RecoveryContext& context, const RecoveredFile& done) {
  const std::string aside = ring.path() + kAsideSuffix;
  const bool moved = rename(ring.path().c_str(), aside.c_str()) == 0;
  std::string whose = done.file.empty() ? "" : ", " + done.file;
  if (done.ring_case == RingCase::kR12Orphan) {
    whose = ", no file with inode " + std::to_string(ring.target().file.inode);
  }
  Warn(context, "ring file " + ring.path() + " is not used (" + NameOf(done.ring_case) + whose +
                    "); " + (moved ? "set aside as " + aside : "it could not be set aside") +
                    "; the log is read as it is in the file");
}

// The file that a ring names: opened once, judged and acted on by the same descriptor.
struct Target {
  std::unique_ptr<FileDevice> file;  // null: there is none
  int write_error = 0;               // errno of why it is open for reading only, otherwise 0
};

// A file that has gone since it was listed is no error: the ring names none, then.
Status OpenTarget(const std::string& path, const RecoveryContext& context, Target* target) {
  UniqueFd fd(open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!fd.valid() && (errno == EACCES || errno == EPERM || errno == EROFS)) {
    target->write_error = errno;
    fd = UniqueFd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  }
  if (!fd.valid()) {
    return errno == ENOENT ? Status::Ok() : Status::FromErrno("open", path, -1, errno);
  }
  target->file = std::make_unique<FileDevice>(std::move(fd), path, context.warn);
  return Status::Ok();
}

// What recovery does with the file, before the ring goes.
Status BringToFile(const RingView& ring, const RecoveryContext& context, const Target& target,
                   RecoveredFile* done) {
  const RecoveryRule rule = RecoveryOf(done->ring_case);
  if (rule == RecoveryRule::kSyncFile) {
    return target.file->Sync();
  }
  if (target.write_error != 0) {
    return Status::FromErrno("open", done->file, -1, target.write_error);
  }
  return rule == RecoveryRule::kReplay ? Replay(ring, target.file.get(), done)
                                       : Trim(ring, context, target.file.get(), done);
}

Status Act(const RingView& ring, const RecoveryContext& context, const Target& target,
           RecoveredFile* done) {
  switch (RecoveryOf(done->ring_case)) {
    case RecoveryRule::kLeaveAlone:
      return Status::Ok();
    case RecoveryRule::kRefuse:
      return FutureVersion(ring);
    case RecoveryRule::kSetAside:
      SetAside(ring, context, *done);
      return Status::Ok();
    case RecoveryRule::kReplay:
    case RecoveryRule::kTrim:
    case RecoveryRule::kSyncFile:
      if (Status status = BringToFile(ring, context, target, done); !status.ok()) {
        return status;
      }
      break;
    case RecoveryRule::kRemoveRing:
      break;
  }
  if (unlink(ring.path().c_str()) != 0 && errno != ENOENT) {
    return Status::FromErrno("unlink", ring.path(), -1, errno);
  }
  return Status::Ok();
}

// Rings of candidates first, in the candidates' order; then those that belong to none.
void OrderLikeCandidates(const std::string& ring_directory,
                         const std::vector<Candidate>& candidates,
                         std::vector<std::string>* rings) {
  auto next = rings->begin();
  for (const Candidate& candidate : candidates) {
    const std::string ring =
        ring_directory + "/" + RingFileName(FileIdentity{0, candidate.inode, 0});
    const auto found = std::find(next, rings->end(), ring);
    if (found != rings->end()) {
      std::iter_swap(next++, found);
    }
  }
}

Status RecoverRing(const std::string& ring_path, const std::vector<Candidate>& candidates,
                   const RecoveryContext& context, RecoveredFile* done) {
  std::unique_ptr<RingView> ring;
  Status status = RingView::Open(ring_path, &ring);
  if (!status.ok()) {
    return status.code() == Status::Code::kNotFound ? Status::Ok() : status;
  }
  RingFacts facts = FactsOfRing(*ring);
  Target target;
  if (HingesOnTarget(facts)) {
    done->file = FindTarget(candidates, *ring);
    if (!done->file.empty()) {
      if (status = OpenTarget(done->file, context, &target); !status.ok()) {
        return status;
      }
    }
    if (target.file == nullptr) {
      done->file.clear();
    } else if (status =
                   GatherFacts(target.file->fd(), done->file, *ring, context.still_current, &facts);
               !status.ok()) {
      return status;
    }
  }
  done->ring_case = Judge(facts);
  return Act(*ring, context, target, done);
}

}  // namespace

Status ResolveTail(int fd, const std::string& path, const std::string& ring_path,
                   const RecoveryContext& context, ResolvedTail* result) {
  FileIdentity identity;
  if (Status status = IdentifyFd(fd, path, &identity, &result->size); !status.ok()) {
    return status;
  }
  std::unique_ptr<RingView> ring;
  Status status = RingView::Open(ring_path, &ring);
  if (!status.ok()) {
    return status.code() == Status::Code::kNotFound ? Status::Ok() : status;
  }
  RingFacts facts;
  if (status = GatherFacts(fd, path, *ring, context.still_current, &facts); !status.ok()) {
    return status;
  }
  result->ring_case = Judge(facts);
  switch (ReadingOf(result->ring_case)) {
    case ReadingRule::kFileAndRing:
      result->ring = std::move(ring);
      return Status::Ok();
    case ReadingRule::kRefuse:
      return FutureVersion(*ring);
    case ReadingRule::kWholeRecords: {
      uint64_t end = 0;
      bool plausible = false;
      status = FindWholeEnd(fd, path, *ring, context.scan, result->size, &end, &plausible);
      if (status.ok() && plausible) {
        result->size = end;
      }
      return status;
    }
    case ReadingRule::kFile:
      break;
  }
  return Status::Ok();
}

Status Recover(const std::string& ring_directory, const std::vector<std::string>& paths,
               const RecoveryContext& context, std::vector<RecoveredFile>* recovered) {
  std::vector<std::string> rings;
  Status status = ListRings(ring_directory, &rings);
  if (!status.ok() || rings.empty()) {
    // Also where the file system has no locks: then no ring was ever made there.
    rmdir(ring_directory.c_str());
    return status.code() == Status::Code::kNotFound ? Status::Ok() : status;
  }
  RingDirectoryLock lock;
  status = RingDirectoryLock::Acquire(ring_directory, /*create=*/false, &lock);
  if (!status.ok()) {
    return status.code() == Status::Code::kNotFound ? Status::Ok() : status;
  }
  rings.clear();
  if (status = ListRings(ring_directory, &rings); !status.ok()) {
    return status;
  }
  const std::vector<Candidate> candidates = ExistingCandidates(paths);
  OrderLikeCandidates(ring_directory, candidates, &rings);
  for (const std::string& ring_path : rings) {
    RecoveredFile done = {};
    if (status = RecoverRing(ring_path, candidates, context, &done); !status.ok()) {
      return status;
    }
    if (RecoveryOf(done.ring_case) != RecoveryRule::kLeaveAlone) {
      recovered->push_back(done);
    }
  }
  rmdir(ring_directory.c_str());  // if that was the last one
  return Status::Ok();
}

}  // namespace lss
