#include "lss/recovery/recovery.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "lss/ring/ring_memory.h"
#include "lss/ring/ring_view.h"

namespace lss {
namespace {

constexpr size_t kReplayStep = 256 << 10;

void Warn(const RecoveryContext& context, const std::string& line) {
  if (context.warn) {
    context.warn(line);
  }
}

bool EndsWith(const std::string& text, const char* suffix) {
  const size_t length = std::strlen(suffix);
  return text.size() >= length && text.compare(text.size() - length, length, suffix) == 0;
}

// The case of a ring together with the file it should belong to.
Status Judge(int fd, const std::string& path, const RingView& ring, const RecoveryContext& context,
             RingCase* result) {
  *result = ring.header_case();
  const bool names_a_file = *result == RingCase::kR2OwnerAlive ||
                            *result == RingCase::kR3ProcessKilled ||
                            *result == RingCase::kR4Closed || *result == RingCase::kR5MachineDown;
  if (!names_a_file) {
    return Status::Ok();
  }
  FileIdentity identity;
  uint64_t size = 0;
  if (Status status = IdentifyFd(fd, path, &identity, &size); !status.ok()) {
    return status;
  }
  if (!ring.target().SameFile(identity)) {
    *result = RingCase::kR7Foreign;
    return Status::Ok();
  }
  if (*result == RingCase::kR3ProcessKilled) {
    bool agrees = false;
    if (Status status = CheckAgreement(fd, path, ring, &agrees); !status.ok()) {
      return status;
    }
    if (!agrees || (context.still_current && !context.still_current(path, ring))) {
      *result = RingCase::kR10Contradiction;
    }
  }
  return Status::Ok();
}

Status FutureVersion(const RingView& ring) {
  return Status::NotSupported(
      "ring file " + ring.path() +
      " was written by a later version of bloom_lfs; open the database once with that version, or "
      "move the ring file away to give up the bytes that are only in it");
}

Status WriteAll(int fd, const std::string& name, Address at, const char* data, size_t size) {
  while (size > 0) {
    const ssize_t written = pwrite(fd, data, size, static_cast<off_t>(at));
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written <= 0) {
      return Status::FromErrno("write", name, static_cast<int64_t>(at), written == 0 ? EIO : errno);
    }
    data += written;
    at += static_cast<uint64_t>(written);
    size -= static_cast<size_t>(written);
  }
  return Status::Ok();
}

Status SyncFile(int fd, const std::string& name) {
  return fdatasync(fd) == 0 ? Status::Ok() : Status::FromErrno("fdatasync", name, -1, errno);
}

// Bytes first, then the exact size, each synced: at no point does the file have zeros inside a
// record with the ring gone.
Status CutTo(int fd, const std::string& name, uint64_t size) {
  if (Status status = SyncFile(fd, name); !status.ok()) {
    return status;
  }
  if (ftruncate(fd, static_cast<off_t>(size)) != 0) {
    return Status::FromErrno("ftruncate", name, static_cast<int64_t>(size), errno);
  }
  return SyncFile(fd, name);
}

Status Replay(int fd, const std::string& path, const RingView& ring, RecoveredFile* done) {
  const Address end = ring.committed();
  // Above `end` for a record larger than the ring that was on its way: nothing to write, only to
  // cut.
  Address at = ring.hi_stable();
  std::vector<char> bytes(kReplayStep);
  while (at < end) {
    const size_t got = ring.CopyOut(at, bytes.size(), end, bytes.data());
    if (got == 0) {
      return Status::Corruption("ring " + ring.path() + " does not hold offset " +
                                std::to_string(at) + " of " + path);
    }
    if (Status status = WriteAll(fd, path, at, bytes.data(), got); !status.ok()) {
      return status;
    }
    at += got;
    done->bytes_replayed += got;
  }
  return CutTo(fd, path, end);
}

Status Trim(int fd, const std::string& path, const RingView& ring, const RecoveryContext& context,
            RecoveredFile* done) {
  FileIdentity identity;
  uint64_t size = 0;
  if (Status status = IdentifyFd(fd, path, &identity, &size); !status.ok()) {
    return status;
  }
  uint64_t end = size;
  if (context.scan) {
    if (Status status = context.scan(fd, path, size, &end); !status.ok()) {
      return status;
    }
  }
  if (end < std::min<uint64_t>(ring.durable(), size)) {
    // Synced bytes do not parse: that is damage (or a format we do not know), not a torn tail.
    Warn(context, path + " is damaged at offset " + std::to_string(end) + ", below offset " +
                      std::to_string(ring.durable()) + " that was synced; left as it is");
    return Status::Ok();
  }
  done->bytes_trimmed = size - end;
  return CutTo(fd, path, end);
}

void SetAside(const RingView& ring, const std::string& file, RingCase ring_case,
              const RecoveryContext& context) {
  const std::string aside = ring.path() + kAsideSuffix;
  const bool moved = rename(ring.path().c_str(), aside.c_str()) == 0;
  Warn(context, "ring file " + ring.path() + " is not used (" + NameOf(ring_case) +
                    (file.empty() ? "" : ", " + file) + "); " +
                    (moved ? "set aside as " + aside : "it could not be set aside") +
                    "; the log is read as it is in the file");
}

// Acts on one ring whose owner is gone. `fd` is -1 if no candidate has its inode.
Status RecoverOne(int fd, const std::string& path, const RingView& ring, RingCase ring_case,
                  const RecoveryContext& context, RecoveredFile* done) {
  switch (ring_case) {
    case RingCase::kR2OwnerAlive:
      return Status::Ok();
    case RingCase::kR8FutureVersion:
      return FutureVersion(ring);
    case RingCase::kR3ProcessKilled:
      if (Status status = Replay(fd, path, ring, done); !status.ok()) {
        return status;
      }
      break;
    case RingCase::kR5MachineDown:
      if (Status status = Trim(fd, path, ring, context, done); !status.ok()) {
        return status;
      }
      break;
    case RingCase::kR4Closed:
      if (Status status = SyncFile(fd, path); !status.ok()) {
        return status;
      }
      break;
    case RingCase::kR9FileGone:
    case RingCase::kR1Unfinished:
      break;
    case RingCase::kR6Damaged:
    case RingCase::kR7Foreign:
    case RingCase::kR10Contradiction:
      SetAside(ring, path, ring_case, context);
      return Status::Ok();
  }
  if (unlink(ring.path().c_str()) != 0 && errno != ENOENT) {
    return Status::FromErrno("unlink", ring.path(), -1, errno);
  }
  return Status::Ok();
}

// The candidate with the inode that the ring's name and header give.
bool FindTarget(const std::vector<std::string>& candidates, uint64_t inode, std::string* path) {
  for (const std::string& candidate : candidates) {
    struct stat st = {};
    if (stat(candidate.c_str(), &st) == 0 && st.st_ino == inode) {
      *path = candidate;
      return true;
    }
  }
  return false;
}

// Rings of candidates first, in the candidates' order; then those that belong to none.
void OrderLikeCandidates(const std::string& ring_directory,
                         const std::vector<std::string>& candidates,
                         std::vector<std::string>* rings) {
  auto next = rings->begin();
  for (const std::string& candidate : candidates) {
    struct stat st = {};
    if (stat(candidate.c_str(), &st) == 0) {
      const std::string ring = ring_directory + "/" + RingFileName(st.st_ino);
      const auto found = std::find(next, rings->end(), ring);
      if (found != rings->end()) {
        std::iter_swap(next++, found);
      }
    }
  }
}

bool NamesAFile(RingCase ring_case) {
  return ring_case == RingCase::kR3ProcessKilled || ring_case == RingCase::kR4Closed ||
         ring_case == RingCase::kR5MachineDown;
}

Status RecoverRing(const std::string& ring_path, const std::vector<std::string>& candidates,
                   const RecoveryContext& context, RecoveredFile* done) {
  std::unique_ptr<RingView> ring;
  Status status = RingView::Open(ring_path, &ring);
  if (!status.ok()) {
    return status.code() == Status::Code::kNotFound ? Status::Ok() : status;
  }
  RingCase ring_case = ring->header_case();
  if (ring_case != RingCase::kR8FutureVersion && ring->OwnerAlive()) {
    done->ring_case = RingCase::kR2OwnerAlive;  // whatever its header says
    return Status::Ok();
  }
  UniqueFd fd;
  if (NamesAFile(ring_case)) {
    if (!FindTarget(candidates, ring->target().inode, &done->file)) {
      ring_case = RingCase::kR9FileGone;
    } else {
      fd = UniqueFd(open(done->file.c_str(), O_RDWR | O_CLOEXEC));
      if (!fd.valid()) {
        return Status::FromErrno("open", done->file, -1, errno);
      }
      if (status = Judge(fd.get(), done->file, *ring, context, &ring_case); !status.ok()) {
        return status;
      }
    }
  }
  if (ring_case == RingCase::kR9FileGone && !ring->closed() &&
      ring->committed() > ring->hi_stable()) {
    // Mostly a deleted log. But a copied directory looks the same, and may hold the only bytes.
    done->ring_case = ring_case;
    SetAside(*ring, "no file with inode " + std::to_string(ring->target().inode), ring_case,
             context);
    return Status::Ok();
  }
  done->ring_case = ring_case;
  return RecoverOne(fd.get(), done->file, *ring, ring_case, context, done);
}

}  // namespace

Status ListRings(const std::string& directory, std::vector<std::string>* paths) {
  DIR* dir = opendir(directory.c_str());
  if (dir == nullptr) {
    return errno == ENOENT ? Status::Ok() : Status::FromErrno("open", directory, -1, errno);
  }
  while (const dirent* entry = readdir(dir)) {  // NOLINT(concurrency-mt-unsafe): own DIR
    if (EndsWith(entry->d_name, kRingSuffix)) {
      paths->push_back(directory + "/" + entry->d_name);
    }
  }
  closedir(dir);
  std::sort(paths->begin(), paths->end());
  return Status::Ok();
}

std::string FindRing(const std::string& path, uint64_t inode) {
  const std::string name = RingFileName(inode);
  const std::string directory = DirectoryOf(path);
  for (const std::string& base : {directory, directory + "/.."}) {
    std::string ring = base + "/" + kRingDirectoryName + "/" + name;
    if (access(ring.c_str(), F_OK) == 0) {
      return ring;
    }
  }
  return {};
}

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
  if (status = Judge(fd, path, *ring, context, &result->ring_case); !status.ok()) {
    return status;
  }
  switch (result->ring_case) {
    case RingCase::kR2OwnerAlive:
    case RingCase::kR3ProcessKilled:
      result->ring = std::move(ring);
      return Status::Ok();
    case RingCase::kR8FutureVersion:
      return FutureVersion(*ring);
    case RingCase::kR5MachineDown:
      if (context.scan) {
        uint64_t end = 0;
        status = context.scan(fd, path, result->size, &end);
        if (status.ok() && end >= std::min<uint64_t>(ring->durable(), result->size)) {
          result->size = end;
        }
      }
      return status;
    default:
      return Status::Ok();
  }
}

Status Recover(const std::string& ring_directory, const std::vector<std::string>& candidates,
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
  OrderLikeCandidates(ring_directory, candidates, &rings);
  for (const std::string& ring_path : rings) {
    RecoveredFile done = {};
    if (status = RecoverRing(ring_path, candidates, context, &done); !status.ok()) {
      return status;
    }
    if (done.ring_case != RingCase::kR2OwnerAlive) {
      recovered->push_back(done);
    }
  }
  rmdir(ring_directory.c_str());  // if that was the last one
  return Status::Ok();
}

}  // namespace lss
