#include "lss/second_place/hand_off_queue.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "lss/base/posix_file.h"

namespace lss {
namespace {

constexpr char kQueueMagic[8] = {'B', 'L', 'F', 'S', 'H', 'O', 'Q', '1'};
constexpr char kQueuePrefix[] = "bloom_lfs-";
constexpr uint64_t kStepBytes = 1 << 20;  // of memory, at once
constexpr uint64_t kMostKept = 8 << 20;   // of memory, when it is empty

std::string PrefixOf(const Uuid& database) { return kQueuePrefix + UuidText(database) + "-"; }

// Paths; none in another boot.
std::vector<std::string> QueuesOf(const std::string& directory, const Uuid& database) {
  const std::string prefix = PrefixOf(database);
  std::vector<std::string> names;
  std::vector<std::string> paths;
  (void)ListDirectory(directory, &names);
  for (const std::string& name : names) {
    if (name.compare(0, prefix.size(), prefix) == 0) {
      paths.push_back(directory + "/" + name);
    }
  }
  return paths;
}

}  // namespace

// Positions count from the stream's beginning; `base` is that of the ring's first byte.
struct HandOffQueue::Header {
  char magic[8];
  StreamName stream;
  std::atomic<uint64_t> base;
  std::atomic<uint64_t> pushed;
  std::atomic<uint64_t> popped;
};

Status HandOffQueue::Create(const std::string& directory, const StreamName& stream,
                            std::unique_ptr<HandOffQueue>* result) {
  static_assert(std::atomic<uint64_t>::is_always_lock_free, "it outlives the process");
  std::unique_ptr<HandOffQueue> queue(new HandOffQueue);
  const std::string path =
      directory + "/" + PrefixOf(stream.database) + std::to_string(stream.number);
  queue->fd_ = UniqueFd(open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!queue->fd_.valid()) {
    return Status::FromErrno("make", path, -1, errno);
  }
  queue->path_ = path;
  if (ftruncate(queue->fd_.get(), kPageBytes + kCapacity) != 0 ||
      fallocate(queue->fd_.get(), FALLOC_FL_KEEP_SIZE, 0, kPageBytes) != 0) {
    return Status::FromErrno("allocate", path, -1, errno);
  }
  void* const memory = mmap(nullptr, kPageBytes + kCapacity, PROT_READ | PROT_WRITE, MAP_SHARED,
                            queue->fd_.get(), 0);
  if (memory == MAP_FAILED) {
    return Status::FromErrno("map", path, -1, errno);
  }
  queue->header_ = static_cast<Header*>(memory);
  queue->data_ = static_cast<char*>(memory) + kPageBytes;
  queue->header_->stream = stream;
  memcpy(queue->header_->magic, kQueueMagic, sizeof(kQueueMagic));
  if (!queue->EnsureMemory(kStepBytes)) {
    return Status::FromErrno("allocate", path, -1, errno);
  }
  *result = std::move(queue);
  return Status::Ok();
}

HandOffQueue::~HandOffQueue() {
  if (header_ != nullptr) {
    munmap(header_, kPageBytes + kCapacity);
  }
  if (!path_.empty() && !fork_guard_.InForkedChild()) {
    unlink(path_.c_str());
  }
}

// Memory that the file system has not promised would be a fault at its first use.
bool HandOffQueue::EnsureMemory(uint64_t end) {
  while (allocated_ < end) {
    if (fallocate(fd_.get(), FALLOC_FL_KEEP_SIZE, static_cast<off_t>(kPageBytes + allocated_),
                  kStepBytes) != 0) {
      return false;
    }
    allocated_ += kStepBytes;
  }
  return true;
}

void HandOffQueue::BeginAnew(uint64_t position) {
  header_->base.store(position, std::memory_order_relaxed);  // Relaxed: P51 publishes it
  if (allocated_ > kMostKept && fallocate(fd_.get(), FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE,
                                          static_cast<off_t>(kPageBytes + kStepBytes),
                                          static_cast<off_t>(kCapacity - kStepBytes)) == 0) {
    allocated_ = kStepBytes;
  }
}

size_t HandOffQueue::Push(ByteView bytes) {
  const uint64_t begin = pushed();
  const uint64_t used = begin - popped();
  if (used == 0) {
    BeginAnew(begin);
  }
  const uint64_t base = header_->base.load(std::memory_order_relaxed);  // Relaxed: its own
  size_t done = 0;
  while (done < bytes.size) {
    const uint64_t at = (begin + done - base) % kCapacity;
    const size_t room = std::min<uint64_t>(kCapacity - used - done, kCapacity - at);
    const size_t part = std::min({bytes.size - done, room, size_t{kStepBytes}});
    if (part == 0 || !EnsureMemory(at + part)) {
      break;
    }
    memcpy(data_ + at, bytes.data + done, part);
    done += part;
  }
  header_->pushed.store(begin + done, std::memory_order_release);  // P51
  return done;
}

ByteView HandOffQueue::Front(size_t most) const {
  const uint64_t begin = popped();
  const uint64_t end = pushed();
  if (begin == end) {
    return {};
  }
  const uint64_t base = header_->base.load(std::memory_order_relaxed);  // Relaxed: P51
  const uint64_t at = (begin - base) % kCapacity;
  const uint64_t together = std::min(end - begin, kCapacity - at);
  return {data_ + at, std::min<size_t>(most, together)};
}

void HandOffQueue::Pop(size_t bytes) {
  header_->popped.store(popped() + bytes, std::memory_order_release);  // P51
}

uint64_t HandOffQueue::pushed() const {
  return header_->pushed.load(std::memory_order_acquire);  // P51
}

uint64_t HandOffQueue::popped() const {
  return header_->popped.load(std::memory_order_acquire);  // P51
}

Status HandOffQueue::Recover(
    const std::string& directory, const Uuid& database, uint32_t owner,
    const std::function<Status(const StreamName&, uint64_t offset, ByteView)>& visit) {
  for (const std::string& path : QueuesOf(directory, database)) {
    const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    struct stat st = {};
    if (!fd.valid() || fstat(fd.get(), &st) != 0 || (st.st_mode & 022) != 0 ||
        (st.st_uid != owner && st.st_uid != 0)) {
      continue;
    }
    std::vector<char> bytes(kPageBytes + kCapacity);
    size_t read = 0;
    if (Status status = ReadFully(fd.get(), path, 0, bytes.size(), bytes.data(), &read);
        !status.ok()) {
      return status;
    }
    const auto* const header = reinterpret_cast<const Header*>(bytes.data());
    // Relaxed: nobody writes it any more
    const uint64_t base = header->base.load(std::memory_order_relaxed);
    const uint64_t begin = header->popped.load(std::memory_order_relaxed);  // Relaxed: as above
    const uint64_t end = header->pushed.load(std::memory_order_relaxed);    // Relaxed: as above
    if (read != bytes.size() || memcmp(header->magic, kQueueMagic, sizeof(kQueueMagic)) != 0 ||
        header->stream.database != database || base > begin || begin > end ||
        end - begin > kCapacity) {
      continue;
    }
    for (uint64_t at = begin; at < end;) {
      const uint64_t place = (at - base) % kCapacity;
      const uint64_t part = std::min(end - at, kCapacity - place);
      if (Status status = visit(header->stream, at, {bytes.data() + kPageBytes + place, part});
          !status.ok()) {
        return status;
      }
      at += part;
    }
  }
  return Status::Ok();
}

void HandOffQueue::Remove(const std::string& directory, const Uuid& database) {
  for (const std::string& path : QueuesOf(directory, database)) {
    unlink(path.c_str());
  }
}

}  // namespace lss
