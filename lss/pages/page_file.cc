#include "lss/pages/page_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <random>
#include <utility>

#include "lss/base/page_buffer.h"
#include "lss/base/posix_file.h"
#include "lss/device/file_device.h"
#include "lss/device/remote_device.h"

namespace lss {

Status PageFile::Open(const std::string& place, const PageFileLayout& layout, WarningSink warn,
                      std::unique_ptr<PageFile>* result) {
  std::unique_ptr<PageFile> file(new PageFile);
  Status status = IsRemotePlace(place) ? file->OpenExport(place, layout)
                                       : file->OpenInDirectory(place, layout, std::move(warn));
  if (status.ok()) {
    *result = std::move(file);
  }
  return status;
}

Status PageFile::OpenInDirectory(const std::string& directory, const PageFileLayout& layout,
                                 WarningSink warn) {
  Status status = LockDirectory(directory);
  if (status.ok()) {
    status = OpenFile(std::move(warn));
  }
  bool recognised = false;
  if (status.ok()) {
    status = Recognise(layout, &recognised);
  }
  return status.ok() && !recognised ? Format(layout) : status;
}

Status PageFile::LockDirectory(const std::string& directory) {
  directory_ = directory;
  if (mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) {
    return Status::FromErrno("make", directory, -1, errno);
  }
  const std::string path = directory + "/lock";
  lock_fd_ = UniqueFd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!lock_fd_.valid()) {
    return Status::FromErrno("open", path, -1, errno);
  }
  FileIdentity identity;
  uint64_t size = 0;
  Status status = IdentifyFd(lock_fd_.get(), path, &identity, &size);
  if (status.ok()) {
    status = RingLock::Take(lock_fd_.get(), path, identity, RingLock::Purpose::kOwn, &lock_);
  }
  if (!status.ok()) {
    CloseUnlessLocked(std::move(lock_fd_), identity);  // another store of this process has it
  }
  return status;
}

Status PageFile::OpenFile(WarningSink warn) {
  const std::string path = directory_ + "/pages";
  constexpr int kFlags = O_CLOEXEC | O_NOFOLLOW;
  UniqueFd fd(open(path.c_str(), O_RDWR | O_CREAT | kFlags, 0600));
  if (!fd.valid()) {
    return Status::FromErrno("open", path, -1, errno);
  }
  read_fd_ = UniqueFd(open(path.c_str(), O_RDONLY | O_DIRECT | kFlags));
  if (!read_fd_.valid() && errno == EINVAL) {
    read_fd_ = UniqueFd(open(path.c_str(), O_RDONLY | kFlags));
  }
  if (!read_fd_.valid()) {
    return Status::FromErrno("open", path, -1, errno);
  }
  device_ = std::make_shared<FileDevice>(std::move(fd), path, std::move(warn));
  return Status::Ok();
}

// An error is no reason to make the file anew.
Status PageFile::Recognise(const PageFileLayout& layout, bool* recognised) {
  StreamId id;
  uint64_t size = 0;
  Status status = device_->Identify(&id, &size);
  if (!status.ok() || size != layout.file_bytes) {
    return status;
  }
  PageBuffer bytes;
  if (!bytes.Reserve(2 * kPageBytes)) {
    return Status::FromErrno("read", path(), 0, ENOMEM);
  }
  status = ReadPages(0, 2 * kPageBytes, bytes.data());
  *recognised = status.ok() &&
                (DecodeSuperblock(bytes.data(), &superblock_) ||
                 DecodeSuperblock(bytes.data() + kPageBytes, &superblock_)) &&
                superblock_.layout == layout;
  return status;
}

// What is left of a file that could not be made takes no room from others.
Status PageFile::Format(const PageFileLayout& layout) {
  Status status = TakeRoom(layout.file_bytes);
  if (status.ok()) {
    status = WriteSuperblocks(layout);
  }
  if (!status.ok()) {
    (void)device_->SetSize(0);
  }
  return status;
}

Status PageFile::CheckRoom(uint64_t bytes) const {
  constexpr uint64_t kForTheRing = 16ULL << 20;
  const uint64_t room = std::min(device_->FreeBytes(), device_->SizeLimit());
  if (room < bytes + kForTheRing) {
    return Status::NoSpace(path() + " would take " + std::to_string(bytes) + " bytes, and there " +
                           "is room for " + std::to_string(room) +
                           "; choose a smaller size, or make room");
  }
  return Status::Ok();
}

Status PageFile::TakeRoom(uint64_t bytes) {
  Status status = device_->SetSize(0);
  if (status.ok()) {
    status = CheckRoom(bytes);
  }
  if (status.ok()) {
    status = device_->Allocate(0, bytes);
  }
  return status.ok() ? device_->SetSize(bytes) : status;
}

// They come last: a file that was not finished is not recognised.
Status PageFile::WriteSuperblocks(const PageFileLayout& layout) {
  fresh_ = true;
  superblock_ = {std::random_device()(), layout};
  SuperblockBytes bytes = EncodeSuperblock(superblock_);
  const iovec piece = {bytes.data(), bytes.size()};
  Status status;
  for (const uint64_t at : {uint64_t{0}, kPageBytes}) {
    if (status.ok()) {
      status = device_->Write({piece}, at, WriteKind::kPlain);
    }
    if (status.ok()) {
      status = device_->Sync();
    }
  }
  return status;
}

Status PageFile::ReadPages(uint64_t offset, size_t length, char* destination) const {
  size_t read = 0;
  Status status = export_ == nullptr
                      ? ReadFully(read_fd_.get(), path(), offset, length, destination, &read)
                      : export_->Read(offset, length, destination, &read);
  if (status.ok() && read != length) {
    status = Status::Corruption(path() + " ends before offset " + std::to_string(offset + length) +
                                "; it was cut while it was in use");
  }
  return status;
}

void PageFile::ReadRanges(ReadQueuePool* queues, std::vector<RangeRead>* reads) const {
  if (export_ == nullptr) {
    queues->Run(read_fd_.get(), reads);
  } else {
    export_->ReadRanges(reads);
  }
}

void PageFile::NoteRingMade() const {
  if (private_ != nullptr) {
    private_->Remove();
  }
}

}  // namespace lss
