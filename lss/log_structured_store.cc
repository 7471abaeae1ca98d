#include "lss/log_structured_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace lss {
namespace {

// A stream that has synced this often is taken to go on doing so.
constexpr uint64_t kSyncsToHeat = 3;

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

Status LogStructuredStore::Open(const std::string& path, const StoreOptions& options, OpenMode mode,
                                std::shared_ptr<LogStructuredStore>* result) {
  if (Status status = options.Validate(); !status.ok()) {
    return status;
  }
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
  size_t adopted = 0;
  if (Status status =
          device->Read(PageFloor(size), size - PageFloor(size), memory->buffer(0), &adopted);
      !status.ok()) {
    memory->Remove();
    return status;
  }
  if (unnamed && !NameFile(device->fd(), path)) {
    const int error = errno;
    memory->Remove();
    return Status::FromErrno("name", path, -1, error);
  }
  std::shared_ptr<LogStructuredStore> store(new LogStructuredStore(
      std::move(device), std::move(memory), identity, options, PageFloor(size)));
  if (Status status = store->AdoptTail(size); !status.ok()) {
    store->memory_->Remove();
    return status;
  }
  store->Start();
  *result = std::move(store);
  return Status::Ok();
}

LogStructuredStore::LogStructuredStore(std::unique_ptr<Device> device,
                                       std::unique_ptr<RingMemory> memory,
                                       const FileIdentity& identity, const StoreOptions& options,
                                       Address start)
    : options_(options),
      identity_(identity),
      device_(std::move(device)),
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
  const Address start = PageFloor(size);
  const auto partial = static_cast<uint32_t>(size - start);
  if (partial > 0) {
    char page[kPageBytes];
    size_t read = 0;
    if (Status status = device_->Read(start, partial, page, &read); !status.ok()) {
      return status;
    }
    if (read != partial) {
      return Status::Corruption(path() + " shrank while it was opened");
    }
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
}

Address LogStructuredStore::size() const {
  return memory_->header()->committed.load(std::memory_order_acquire);  // P7
}

Status LogStructuredStore::ChooseStyle(Style style) {
  Style seen = style_.load(std::memory_order_relaxed);
  if (seen == style) {
    return Status::Ok();
  }
  if (seen == Style::kUndecided && (style_.compare_exchange_strong(seen, style) || seen == style)) {
    return Status::Ok();
  }
  return Status::InvalidArgument(path() + ": Append and Reserve cannot be mixed on one store");
}

Status LogStructuredStore::Append(ByteView bytes) {
  if (pipeline_.failed()) {
    return pipeline_.error();
  }
  if (closed()) {
    return Status::Closed("append to " + path() + " after close");
  }
  if (Status status = ChooseStyle(Style::kDense); !status.ok()) {
    return status;
  }
  const Address end = accepted_end_.load(std::memory_order_relaxed) + bytes.size;
  // Space is real before bytes are accepted.
  if (Status status = EnsureSpace(end); !status.ok()) {
    return status;
  }
  accepted_end_.store(end, std::memory_order_release);
  if (Status status = CopyIn(bytes.data, bytes.size); !status.ok()) {
    return status;
  }
  // P7: whoever reads the new length finds the bytes in the ring, also another process, also after
  // this one has been killed right behind this line.
  memory_->header()->committed.store(end, std::memory_order_release);
  return Status::Ok();
}

Status LogStructuredStore::EnsureSpace(Address end) {
  Status status = space_.EnsureAllocated(end);
  if (!status.ok() && status.code() != Status::Code::kNoSpace) {
    pipeline_.Fail(status);
  }
  return status;
}

Status LogStructuredStore::CopyIn(const char* data, size_t size) {
  while (size > 0) {
    const FlushBufferRing::Cursor cursor = ring_.current();
    FlushBuffer& buffer = ring_.buffer(cursor.index);
    const auto part =
        static_cast<uint32_t>(std::min<size_t>(buffer.Remaining(cursor.generation), size));
    if (part == 0) {
      HandOver(buffer.Seal(cursor.generation), cursor);
      if (Status status = ring_.Rotate(cursor.sequence, &pipeline_); !status.ok()) {
        return status;
      }
      continue;
    }
    const BufferReservation reservation = buffer.Reserve(part, cursor.generation);
    if (!reservation.reserved) {
      HandOver(reservation.duty, cursor);
      continue;
    }
    std::memcpy(buffer.data() + reservation.offset, data, part);
    HandOver(buffer.Leave(), cursor);
    data += part;
    size -= part;
  }
  return Status::Ok();
}

void LogStructuredStore::HandOver(FlushDuty duty, const FlushBufferRing::Cursor& cursor) {
  if (duty == FlushDuty::kNone) {
    return;
  }
  const SealedBuffer buffer = ring_.TakeSealed(cursor);
  if (style_.load(std::memory_order_relaxed) == Style::kReserved) {
    AdvanceCommitted(buffer);
  }
  pipeline_.OnSealed(buffer);
}

// Buffers become complete in any order; the committed length grows over the unbroken sequence.
void LogStructuredStore::AdvanceCommitted(const SealedBuffer& buffer) {
  {
    const std::lock_guard<std::mutex> lock(left_mutex_);
    left_.emplace(buffer.sequence, PageCeil(buffer.end()));
    while (!left_.empty() && left_.begin()->first == next_left_) {
      memory_->header()->committed.store(left_.begin()->second, std::memory_order_release);  // P7
      left_.erase(left_.begin());
      ++next_left_;
    }
  }
  left_changed_.notify_all();
}

Status LogStructuredStore::Reserve(uint32_t size, Reservation* reservation) {
  if (size == 0 || size > ring_.buffer_bytes()) {
    return Status::InvalidArgument("reserve " + std::to_string(size) + " bytes in " + path() +
                                   "; allowed: 1 to " + std::to_string(ring_.buffer_bytes()));
  }
  if (Status status = ChooseStyle(Style::kReserved); !status.ok()) {
    return status;
  }
  for (;;) {
    if (pipeline_.failed()) {
      return pipeline_.error();
    }
    if (closed()) {
      return Status::Closed("reserve in " + path() + " after close");
    }
    const FlushBufferRing::Cursor cursor = ring_.current();
    FlushBuffer& buffer = ring_.buffer(cursor.index);
    if (Status status = EnsureSpace(buffer.base() + buffer.capacity()); !status.ok()) {
      return status;
    }
    const BufferReservation taken = buffer.Reserve(size, cursor.generation);
    if (taken.reserved) {
      *reservation = Reservation();
      reservation->store_ = this;
      reservation->cursor_ = cursor;
      reservation->offset_ = taken.offset;
      reservation->size_ = size;
      reservation->address_ = buffer.base() + taken.offset;
      return Status::Ok();
    }
    HandOver(taken.duty, cursor);
    if (Status status = ring_.Rotate(cursor.sequence, &pipeline_); !status.ok()) {
      return status;
    }
  }
}

Status LogStructuredStore::Flush() {
  if (pipeline_.failed()) {
    return pipeline_.error();
  }
  if (fork_guard_.InForkedChild()) {
    return Status::Closed("flush of " + path() + " in a forked child");
  }
  if (style_.load(std::memory_order_relaxed) != Style::kReserved) {
    return Status::Ok();  // Append has put the bytes where they outlive the process
  }
  const FlushBufferRing::Cursor cursor = ring_.current();
  FlushBuffer& buffer = ring_.buffer(cursor.index);
  HandOver(buffer.Seal(cursor.generation), cursor);
  const bool sealed = buffer.IsSealed(cursor.generation);
  std::unique_lock<std::mutex> lock(left_mutex_);
  left_changed_.wait(lock, [&] { return next_left_ >= cursor.sequence + (sealed ? 1 : 0); });
  return Status::Ok();
}

Status LogStructuredStore::Sync() {
  if (Status status = Flush(); !status.ok()) {
    return status;
  }
  if (closed()) {
    return Status::Closed("sync of " + path() + " after close");
  }
  Status status = tail_.Sync();
  if (status.ok()) {
    AfterSync();
  }
  return status;
}

void LogStructuredStore::AfterSync() {
  if (tail_.sync_count() < kSyncsToHeat) {
    return;
  }
  const Address end = durable();
  const Address before = last_sync_end_.exchange(end, std::memory_order_relaxed);
  if (!tail_.hot()) {
    RequestHot();
  } else if ((end - std::min(end, before)) * 4 <= options_.frontier_bytes &&
             space_.FrontierDue(end)) {
    Background::SharedMaintenance().Enqueue([self = shared_from_this()] {
      const Status status = self->space_.ZeroAhead([&] { return self->AppendedEnd(); });
      if (!status.ok()) {
        self->pipeline_.Fail(status);
      }
    });
  }
}

void LogStructuredStore::RequestHot() {
  if (!hot_requested_.exchange(true)) {
    Background::SharedMaintenance().Enqueue([self = shared_from_this()] { self->tail_.MakeHot(); });
  }
}

// No byte at or above it can be in the file or on its way there.
Address LogStructuredStore::AppendedEnd() const {
  if (style_.load(std::memory_order_relaxed) != Style::kReserved) {
    return accepted_end_.load(std::memory_order_acquire);
  }
  const FlushBufferRing::Cursor cursor = ring_.current();
  return memory_->header()->base[cursor.index].load(std::memory_order_acquire) +
         ring_.buffer_bytes();
}

Status LogStructuredStore::Read(Address address, size_t length, char* destination, size_t* read) {
  *read = 0;
  const Address limit = size();
  while (*read < length && address < limit) {
    const Address stable = hi_stable();
    const size_t wanted = std::min<uint64_t>(length - *read, limit - address);
    size_t got = 0;
    if (address < stable) {
      const size_t in_file = std::min<uint64_t>(wanted, stable - address);
      if (Status status = device_->Read(address, in_file, destination + *read, &got);
          !status.ok()) {
        return status;
      }
      if (got == 0) {
        return Status::Corruption(path() + " at offset " + std::to_string(address) +
                                  ": shorter than what was written to it; somebody truncated it");
      }
    } else {
      // 0 if the bytes have just left the ring: then the watermark has passed them.
      got = ring_.CopyOut(address, wanted, limit, destination + *read);
    }
    *read += got;
    address += got;
  }
  return Status::Ok();
}

void LogStructuredStore::Tick() {
  if (!closed()) {
    tail_.Tick();
  }
}

Status LogStructuredStore::Settle() {
  if (Status status = Flush(); !status.ok()) {
    return status;
  }
  return closed() ? Status::Ok() : tail_.Settle();
}

Status LogStructuredStore::Close() {
  // Before the mutex: the fork may have copied it locked.
  if (fork_guard_.InForkedChild()) {
    return Status::Closed("close of " + path() +
                          " in a forked child of the process that opened it");
  }
  const std::lock_guard<std::mutex> lock(close_mutex_);
  if (close_done_) {
    return close_status_;
  }
  close_done_ = true;
  Status status = Flush();
  closed_.store(true, std::memory_order_release);
  if (status.ok()) {
    status = tail_.Finish();
  }
  close_status_ = status;
  if (!status.ok()) {
    return status;
  }
  // From here a killed process leaves nothing to replay.
  memory_->header()->state.store(static_cast<uint32_t>(RingState::kClosed),
                                 std::memory_order_release);
  if (!tail_.hot()) {
    memory_->Remove();
  } else {
    Background::SharedMaintenance().Enqueue([self = shared_from_this()] { self->FinishClose(); });
  }
  return status;
}

// Zeros that lay behind the tail are gone from the file, but perhaps not yet from the device. The
// ring stays until they are, so that recovery after a power cut knows to look.
void LogStructuredStore::FinishClose() {
  if (!device_->Unlinked()) {
    if (Status status = device_->Sync(); !status.ok()) {
      if (options_.warn) {
        options_.warn(status.ToString() + "; its ring " + ring_path() + " stays for recovery");
      }
      return;
    }
  }
  memory_->Remove();
}

}  // namespace lss
