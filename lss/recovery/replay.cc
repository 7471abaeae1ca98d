#include "lss/recovery/replay.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <vector>

namespace lss {
namespace {

constexpr size_t kReplayStep = 256 << 10;

void Warn(const RecoveryContext& context, const std::string& line) {
  if (context.warn) {
    context.warn(line);
  }
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

Status Replay(Examined* examined) {
  FileDevice* const file = examined->file.get();
  const RingView& ring = *examined->ring;
  const Address end = examined->part.end;
  // It may begin above `end`, for a record larger than the ring that was on its way: nothing to
  // write then, only to cut.
  Address at = examined->part.from;
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
    examined->done.bytes_replayed += got;
  }
  return CutTo(file, end);
}

Status Trim(const RecoveryContext& context, Examined* examined) {
  StreamId id;
  uint64_t size = 0;
  FileDevice* const file = examined->file.get();
  if (Status status = file->Identify(&id, &size); !status.ok()) {
    return status;
  }
  const ScannedTail& tail = examined->evidence.file;
  const RingView& ring = *examined->ring;
  if (!tail.known || tail.end >= size) {
    return file->Sync();
  }
  // Synced bytes that do not parse are damage, not a torn tail.
  if (ring.LiveWordsAgree() && tail.end < std::min<uint64_t>(ring.durable(), size)) {
    Warn(context, file->name() + " is damaged at offset " + std::to_string(tail.end) +
                      ", below offset " + std::to_string(ring.durable()) +
                      " that was synced; left as it is");
    return Status::Ok();
  }
  if (RecoveryOf(examined->done.ring_case) == RecoveryRule::kTrim) {
    Warn(context,
         file->name() + ": the machine went down while it was written; " + tail.description);
  }
  examined->done.bytes_trimmed = size - tail.end;
  return CutTo(file, tail.end);
}

void SetAside(const RecoveryContext& context, const Examined& examined) {
  const std::string& path = examined.ring->path();
  const std::string aside = path + kAsideSuffix;
  const bool moved = rename(path.c_str(), aside.c_str()) == 0;
  std::string whose = examined.done.file.empty() ? "" : ", " + examined.done.file;
  if (examined.done.ring_case == RingCase::kR12Orphan) {
    whose = ", no file with inode " + std::to_string(examined.ring->target().file.inode);
  }
  Warn(context, "ring file " + path + " is not used (" + NameOf(examined.done.ring_case) + whose +
                    "); " + (moved ? "set aside as " + aside : "it could not be set aside") +
                    "; the log is read as it is in the file");
}

Status RemoveRing(const RecoveryContext& context, const RingView& ring) {
  if (unlink(ring.path().c_str()) == 0 || errno == ENOENT) {
    return Status::Ok();
  }
  const Status status = Status::FromErrno("unlink", ring.path(), -1, errno);
  if (status.code() != Status::Code::kPermissionDenied) {
    return status;
  }
  // What it holds is in the file by now.
  Warn(context, status.message() + "; it can be removed");
  return Status::Ok();
}

// Whether the verdict can be carried out by this user.
bool MayWrite(const RecoveryContext& context, const Examined& examined) {
  if (examined.write_error == 0) {
    return true;
  }
  Warn(context, examined.done.file +
                    " was left by a writer that died, and this user cannot write "
                    "it (" +
                    Status::FromErrno("open", "it", -1, examined.write_error).message() +
                    "); it is read together with " + examined.ring->path() +
                    ". Open the database once as the user that it belongs to");
  return false;
}

Status BringToFile(const RecoveryContext& context, Examined* examined) {
  switch (RecoveryOf(examined->done.ring_case)) {
    case RecoveryRule::kSyncFile:
      return examined->file->Sync();
    case RecoveryRule::kReplay:
    case RecoveryRule::kReplayProven:
      return Replay(examined);
    case RecoveryRule::kTrim:
    case RecoveryRule::kTrimAndSetAside:
      return Trim(context, examined);
    default:
      return Status::Ok();
  }
}

void WarnNotTrusted(const RecoveryContext& context, const RingView& ring) {
  Warn(context, "ring file " + ring.path() + " is not believed: it belongs to user " +
                    std::to_string(ring.identity().access.uid) +
                    ", or others may write to it or to its directory who may not write to the "
                    "log; remove it if it is not yours");
}

}  // namespace

Status FutureVersion(const RingView& ring) {
  return Status::NotSupported(
      "ring file " + ring.path() +
      " was written by a later version of bloom_lfs; open the database once with that version, or "
      "move the ring file away to give up the bytes that are only in it");
}

RingPart PartOf(RingCase ring_case, const RingView& ring, const Evidence& evidence) {
  if (ReadingOf(ring_case) == ReadingRule::kProven) {
    return evidence.part;
  }
  if (ReadingOf(ring_case) != ReadingRule::kFileAndRing) {
    return {};
  }
  const bool whole = evidence.content == Evidence::Content::kWhole;
  return {whole ? evidence.whole_from : ring.hi_stable(), ring.committed()};
}

Status Act(const RecoveryContext& context, Examined* examined, bool* acted) {
  *acted = false;
  const RingView& ring = *examined->ring;
  switch (RecoveryOf(examined->done.ring_case)) {
    case RecoveryRule::kLeaveAlone:
      if (examined->done.ring_case == RingCase::kR15NotTrusted) {
        WarnNotTrusted(context, ring);
      }
      return Status::Ok();
    case RecoveryRule::kRefuse:
      return FutureVersion(ring);
    case RecoveryRule::kSetAside:
      *acted = true;
      SetAside(context, *examined);
      return Status::Ok();
    case RecoveryRule::kTrimAndSetAside:
    case RecoveryRule::kReplay:
    case RecoveryRule::kReplayProven:
    case RecoveryRule::kTrim:
    case RecoveryRule::kSyncFile:
      if (!MayWrite(context, *examined)) {
        return Status::Ok();
      }
      if (Status status = BringToFile(context, examined); !status.ok()) {
        return status;
      }
      break;
    case RecoveryRule::kRemoveRing:
      break;
  }
  *acted = true;
  if (RecoveryOf(examined->done.ring_case) == RecoveryRule::kTrimAndSetAside) {
    SetAside(context, *examined);
    return Status::Ok();
  }
  return RemoveRing(context, ring);
}

}  // namespace lss
