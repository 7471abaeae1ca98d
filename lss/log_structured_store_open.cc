// How a LogStructuredStore comes to be: file, ring, and what the file holds already.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "lss/log_structured_store.h"

namespace lss {
namespace {

// `unnamed`: the file is new and gets its name when its ring is there, so that no log of ours is
// ever seen without a ring before it is closed. Recovery takes such a log for somebody else's.
Status OpenFile(const std::string& path, LogStructuredStore::OpenMode mode, UniqueFd* fd,
                bool* unnamed) {
  *unnamed = false;
  if (access(path.c_str(), F_OK) != 0) {
    *fd = CreateUnnamed(DirectoryOf(path));
    *unnamed = fd->valid();
    if (*unnamed) {
      return Status::Ok();
    }
  }
  const int truncate = mode == LogStructuredStore::OpenMode::kTruncate ? O_TRUNC : 0;
  int raw = -1;
  do {
    raw = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | truncate, 0644);
  } while (raw < 0 && errno == EINTR);
  if (raw < 0) {
    return Status::FromErrno("open", path, -1, errno);
  }
  *fd = UniqueFd(raw);
  struct stat st = {};
  if (fstat(raw, &st) != 0) {
    return Status::FromErrno("stat", path, -1, errno);
  }
  if (!S_ISREG(st.st_mode)) {
    return Status::InvalidArgument("open " + path + ": not a regular file");
  }
  return Status::Ok();
}

}  // namespace

Status LogStructuredStore::Open(const std::string& path, const StoreOptions& asked, OpenMode mode,
                                std::shared_ptr<LogStructuredStore>* result) {
  if (Status status = asked.Validate(); !status.ok()) {
    return status;
  }
  RingGrant grant;
  if (Status status =
          RingGrant::Take(asked.ring_budget_bytes, asked.buffer_bytes, asked.buffer_count, &grant);
      !status.ok()) {
    return status;
  }
  StoreOptions options = asked;
  options.buffer_bytes = grant.buffer_bytes();
  options.buffer_count = grant.buffer_count();
  UniqueFd fd;
  bool unnamed = false;
  if (Status status = OpenFile(path, mode, &fd, &unnamed); !status.ok()) {
    return status;
  }
  FileIdentity identity;
  uint64_t size = 0;
  if (Status status = IdentifyFd(fd.get(), path, &identity, &size); !status.ok()) {
    return status;
  }
  const std::string ring_directory = options.ring_directory.empty()
                                         ? DirectoryOf(path) + "/" + kRingDirectoryName
                                         : options.ring_directory;
  std::unique_ptr<RingMemory> memory;
  if (Status status = RingMemory::Create(ring_directory, identity, options, &memory, size);
      !status.ok()) {
    return status;
  }
  auto device = std::make_unique<SyncDevice>(std::move(fd), path, options.warn);
  // The bytes of the partial last page come into the ring before any base address tells of them.
  const uint64_t partial = size - PageFloor(size);
  size_t adopted = 0;
  Status status = device->Read(PageFloor(size), partial, memory->buffer(0), &adopted);
  if (status.ok() && adopted != partial) {
    status = Status::Corruption(path + " shrank while it was opened");
  }
  if (!status.ok()) {
    memory->Remove();
    return status;
  }
  if (unnamed && !NameFile(device->fd(), path)) {
    const int error = errno;
    memory->Remove();
    return Status::FromErrno("name", path, -1, error);
  }
  std::shared_ptr<LogStructuredStore> store(new LogStructuredStore(
      std::move(device), std::move(memory), std::move(grant), identity, options, PageFloor(size)));
  if (status = store->AdoptTail(size); !status.ok()) {
    store->memory_->Remove();
    return status;
  }
  store->Start();
  *result = std::move(store);
  return Status::Ok();
}

LogStructuredStore::LogStructuredStore(std::unique_ptr<Device> device,
                                       std::unique_ptr<RingMemory> memory, RingGrant grant,
                                       const FileIdentity& identity, const StoreOptions& options,
                                       Address start)
    : options_(options),
      identity_(identity),
      device_(std::move(device)),
      grant_(std::move(grant)),
      memory_(std::move(memory)),
      ring_(*memory_, options, start),
      space_(device_.get(), options),
      pipeline_(device_.get(), memory_->header(), &space_,
                &Background::SharedFlusher(options.use_io_uring, options.warn), options.write_mode,
                ring_.bytes()),
      tail_(device_.get(), memory_.get(), &ring_, &pipeline_, &space_, options_) {}

LogStructuredStore::~LogStructuredStore() = default;

// Brings the partial last page of an existing file into the first buffer, where appending goes on.
Status LogStructuredStore::AdoptTail(Address size) {
  const auto partial = static_cast<uint32_t>(size - PageFloor(size));
  if (partial > 0) {
    // Open has read them to where they belong; the buffer's state does not know of them yet.
    char page[kPageBytes];
    std::memcpy(page, memory_->buffer(0), partial);
    if (Status status = CopyIn(page, partial); !status.ok()) {
      return status;
    }
  }
  accepted_end_.store(size, std::memory_order_release);
  // Written by somebody, synced by nobody we know of.
  if (size > 0) {
    pipeline_.OnTailWritten(0, size, WriteKind::kPlain);
  }
  return Status::Ok();
}

void LogStructuredStore::Start() {
  pipeline_.SetOwner(weak_from_this());
  pipeline_.SetWriteGate([this] { RequestHot(); });
  Background::SharedMaintenance().Watch(weak_from_this(), options_.idle_flush_ms);
  if (options_.predecessor.hot) {
    RequestHot();
  }
}

}  // namespace lss
