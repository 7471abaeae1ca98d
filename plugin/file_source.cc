#include "plugin/file_source.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>

#include "lss/base/file_identity.h"
#include "lss/base/posix_file.h"
#include "plugin/directory_recovery.h"

namespace bloom_lfs {

using lss::Status;

Status FileSource::Open(const std::string& path, std::unique_ptr<FileSource>* result) {
  lss::UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) {
    return Status::FromErrno("open", path, -1, errno);
  }
  std::unique_ptr<FileSource> source(new FileSource(std::move(fd), path));
  if (Status status = source->Attach(); !status.ok()) {
    return status;
  }
  *result = std::move(source);
  return Status::Ok();
}

Status FileSource::Attach() {
  lss::FileIdentity identity;
  uint64_t size = 0;
  if (Status status = lss::IdentifyFd(fd_.get(), path_, &identity, &size); !status.ok()) {
    return status;
  }
  Holder found;
  std::optional<uint64_t> trimmed;
  found.store = LiveStores::Find(identity);
  if (found.store == nullptr) {
    const std::string ring = lss::FindRing(path_, identity.inode);
    if (!ring.empty()) {
      lss::ResolvedTail tail;
      if (Status status = lss::ResolveTail(fd_.get(), path_, ring, PluginRecoveryContext(), &tail);
          !status.ok()) {
        return status;
      }
      found.ring = tail.ring;
      found.growing = tail.growing;
      found.part = tail.part;
      if (lss::ReadingOf(tail.ring_case) == lss::ReadingRule::kWholeRecords) {
        trimmed = tail.size;
      }
    }
  }
  const lss::MutexLock lock(&mutex_);
  holder_ = found;
  trimmed_size_ = trimmed;
  was_empty_ = size == 0 && found.store == nullptr && found.ring == nullptr;
  return Status::Ok();
}

Status FileSource::AttachIfNew() {
  {
    const lss::MutexLock lock(&mutex_);
    if (!was_empty_) {
      return Status::Ok();
    }
  }
  return Attach();
}

bool FileSource::IsPlainFile() {
  const lss::MutexLock lock(&mutex_);
  return holder_.store == nullptr && holder_.ring == nullptr && !trimmed_size_.has_value() &&
         !was_empty_;
}

FileSource::Holder FileSource::CurrentHolder() {
  const lss::MutexLock lock(&mutex_);
  return holder_;
}

Status FileSource::ReadOnce(uint64_t offset, size_t length, char* destination, size_t* read) {
  const Holder holder = CurrentHolder();
  if (holder.store != nullptr) {
    return holder.store->Read(offset, length, destination, read);
  }
  if (holder.ring != nullptr && holder.growing) {
    return lss::ReadMerged(fd_.get(), *holder.ring, offset, length, holder.ring->committed(),
                           destination, read);
  }
  if (holder.ring != nullptr) {
    return lss::ReadMerged(fd_.get(), *holder.ring, holder.part, offset, length, destination, read);
  }
  std::optional<uint64_t> limit;
  {
    const lss::MutexLock lock(&mutex_);
    limit = trimmed_size_;
  }
  if (limit.has_value()) {
    length = offset >= *limit ? 0 : std::min<uint64_t>(length, *limit - offset);
  }
  return lss::ReadFully(fd_.get(), path_, offset, length, destination, read);
}

Status FileSource::Read(uint64_t offset, size_t length, char* destination, size_t* read) {
  if (Status status = AttachIfNew(); !status.ok()) {
    return status;
  }
  Status status = ReadOnce(offset, length, destination, read);
  if (status.ok() && *read < length && HolderChanged(&status)) {
    // Somebody else knows more about the end of the log now.
    return ReadOnce(offset, length, destination, read);
  }
  return status;
}

bool FileSource::HolderChanged(Status* status) {
  {
    const lss::MutexLock lock(&mutex_);
    const bool finished = (holder_.store != nullptr && holder_.store->closed()) ||
                          (holder_.ring != nullptr && holder_.growing && holder_.ring->closed());
    if (!finished && (holder_.store != nullptr || holder_.ring != nullptr)) {
      return false;
    }
  }
  // A closed log is complete in its file, or, if the close has failed, in its ring.
  *status = Attach();
  return status->ok();
}

Status FileSource::Size(uint64_t* size) {
  if (Status status = AttachIfNew(); !status.ok()) {
    return status;
  }
  const Holder holder = CurrentHolder();
  if (holder.store != nullptr) {
    *size = holder.store->size();
    return Status::Ok();
  }
  if (holder.ring != nullptr && !(holder.growing && holder.ring->closed())) {
    *size = holder.growing ? holder.ring->committed() : holder.part.end;
    return Status::Ok();
  }
  {
    const lss::MutexLock lock(&mutex_);
    if (trimmed_size_.has_value()) {
      *size = *trimmed_size_;
      return Status::Ok();
    }
  }
  lss::FileIdentity identity;
  return lss::IdentifyFd(fd_.get(), path_, &identity, size);
}

}  // namespace bloom_lfs
