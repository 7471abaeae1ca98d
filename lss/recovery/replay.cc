#include "lss/recovery/replay.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <vector>

#include "lss/base/posix_file.h"
#include "lss/ring/ring_format.h"

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
  if (examined->evidence.LacksSynced(ring, size)) {
    Warn(context, file->name() + " is damaged at offset " + std::to_string(tail.end) +
                      ", below offset " + std::to_string(ring.durable()) +
                      " that was synced; left as it is");
    return Status::Ok();
  }
  if (RecoveryOf(examined->done.ring_case) == RecoveryRule::kTrim) {
    Warn(context, file->name() +
                      ": the machine went down while it was written, or it is a copy from after a "
                      "kill; " +
                      tail.description);
  }
  examined->done.bytes_trimmed = size - tail.end;
  return CutTo(file, tail.end);
}

// Never over what is there: that may hold bytes that are nowhere else.
bool RenameToFreeName(const std::string& from, const std::string& to) {
  if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) {
    return true;
  }
  // Not every file system knows this, nor does every filter of system calls let it pass.
  if (errno == EEXIST || link(from.c_str(), to.c_str()) != 0) {
    return false;
  }
  unlink(from.c_str());
  return true;
}

void SetAside(const RecoveryContext& context, const Examined& examined) {
  const std::string& path = examined.ring->path();
  std::string aside = path + kAsideSuffix;
  bool moved = RenameToFreeName(path, aside);
  // Rings of this inode number that were set aside before.
  for (int number = 2; !moved && errno == EEXIST; ++number) {
    aside = path + "." + std::to_string(number) + kAsideSuffix;
    moved = RenameToFreeName(path, aside);
  }
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
  Status status = Status::FromErrno("unlink", ring.path(), -1, errno);
  if (status.code() != Status::Code::kPermissionDenied) {
    return status;
  }
  // What it holds is in the file by now.
  Warn(context, status.message() + "; it can be removed");
  return Status::Ok();
}

// The file and what counts of the ring, as one new file at `fd`.
Status WriteWhole(int fd, const std::string& name, const Examined& examined) {
  const RingPart& part = examined.part;
  std::vector<char> bytes(kReplayStep);
  for (Address at = 0; at < part.end;) {
    size_t got = 0;
    const Address limit = at < part.from ? std::min(part.from, part.end) : part.end;
    const size_t wanted = std::min<uint64_t>(bytes.size(), limit - at);
    if (at >= part.from) {
      got = examined.ring->CopyOut(at, wanted, limit, bytes.data());
    } else if (Status status = ReadFully(examined.file->fd(), examined.done.file, at, wanted,
                                         bytes.data(), &got);
               !status.ok()) {
      return status;
    }
    if (got == 0) {
      return Status::Corruption(examined.done.file + " and its ring do not hold offset " +
                                std::to_string(at));
    }
    const ssize_t written = pwrite(fd, bytes.data(), got, static_cast<off_t>(at));
    if (written <= 0) {
      return Status::FromErrno("write", name, static_cast<int64_t>(at), written < 0 ? errno : EIO);
    }
    at += static_cast<size_t>(written);
  }
  FileIdentity log;
  uint64_t size = 0;
  Status status = IdentifyFd(examined.file->fd(), examined.done.file, &log, &size);
  if (status.ok() && (fchmod(fd, log.access.mode) != 0 || fsync(fd) != 0)) {
    status = Status::FromErrno("sync", name, -1, errno);
  }
  return status;
}

// For a file that this user cannot write, in a directory that he can write: a whole file takes its
// place. If it stayed, what this user makes beside it would silence the ring.
Status Replace(Examined* examined) {
  const std::string whole = examined->ring->path() + kUnfinishedSuffix;
  const std::string& file = examined->done.file;
  unlink(whole.c_str());
  const UniqueFd fd(
      open(whole.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd.valid()) {
    return Status::FromErrno("create", whole, -1, errno);
  }
  Status status = WriteWhole(fd.get(), whole, *examined);
  if (status.ok() && rename(whole.c_str(), file.c_str()) != 0) {
    status = Status::FromErrno("rename", whole, -1, errno);
  }
  if (!status.ok()) {
    unlink(whole.c_str());
    return status;
  }
  examined->done.bytes_replayed =
      examined->part.end - std::min(examined->part.from, examined->part.end);
  const UniqueFd directory(open(DirectoryOf(file).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return directory.valid() && fsync(directory.get()) == 0
             ? Status::Ok()
             : Status::FromErrno("fsync", DirectoryOf(file), -1, errno);
}

void WarnNotWritten(const RecoveryContext& context, const Examined& examined) {
  Warn(context, examined.done.file +
                    " was left by a writer that died, and this user cannot write "
                    "it (" +
                    Status::FromErrno("open", "it", -1, examined.write_error).message() +
                    "); it is read together with " + examined.ring->path() +
                    ". Open the database once as the user that it belongs to");
}

// `carried_out`: whether this user could.
Status BringUnwritable(const RecoveryContext& context, Examined* examined, bool* carried_out) {
  const RecoveryRule rule = RecoveryOf(examined->done.ring_case);
  Status status = Status::FromErrno("open", examined->done.file, -1, examined->write_error);
  if (rule == RecoveryRule::kReplay || rule == RecoveryRule::kReplayProven) {
    status = Replace(examined);
  }
  const int error = status.error_number();
  *carried_out = status.ok();
  if (error != EACCES && error != EPERM && error != EROFS) {
    return status;
  }
  WarnNotWritten(context, *examined);
  return Status::Ok();
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
      if (examined->write_error != 0) {
        bool carried_out = false;
        Status status = BringUnwritable(context, examined, &carried_out);
        if (!carried_out) {
          return status;
        }
      } else if (Status status = BringToFile(context, examined); !status.ok()) {
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
