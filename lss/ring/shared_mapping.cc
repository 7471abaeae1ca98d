#include "lss/ring/shared_mapping.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

#include "lss/ring/fault_handler.h"

namespace lss {
namespace {

size_t SystemPageBytes() { return static_cast<size_t>(sysconf(_SC_PAGESIZE)); }

uint64_t PageCount(uint64_t bytes, size_t page_bytes) {
  return (bytes + page_bytes - 1) / page_bytes;
}

// Copies through a pipe: where a load would be a signal, write(2) returns EFAULT. Of all calls that
// could do it these are the ones that no sandbox forbids.
bool CopyThroughPipe(const char* from, char* to, size_t length) {
  int ends[2] = {-1, -1};
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
    return false;
  }
  size_t copied = 0;
  while (copied < length) {
    const ssize_t in = write(ends[1], from + copied, length - copied);
    ssize_t out = 0;
    while (in > 0 && out < in) {
      const ssize_t got = read(ends[0], to + copied + out, static_cast<size_t>(in - out));
      if (got <= 0) {
        break;
      }
      out += got;
    }
    if (in <= 0 || out < in) {
      break;
    }
    copied += static_cast<size_t>(in);
  }
  close(ends[0]);
  close(ends[1]);
  return copied == length;
}

}  // namespace

Status SharedMapping::Map(int fd, const std::string& path, uint64_t bytes, Access access,
                          std::unique_ptr<SharedMapping>* result) {
  const int protection = access == Access::kRead ? PROT_READ : PROT_READ | PROT_WRITE;
  void* mapping = mmap(nullptr, bytes, protection, MAP_SHARED, fd, 0);
  if (mapping == MAP_FAILED) {
    return Status::FromErrno("map", path, -1, errno);
  }
  std::unique_ptr<SharedMapping> made(
      new SharedMapping(static_cast<char*>(mapping), bytes, access));
  if (!fault_handler::Watch(made.get())) {
    return Status::FromErrno("watch the mapping of", path, -1, ENOMEM);
  }
  *result = std::move(made);
  return Status::Ok();
}

SharedMapping::SharedMapping(char* data, uint64_t bytes, Access access)
    : data_(data),
      bytes_(bytes),
      page_bytes_(SystemPageBytes()),
      access_(access),
      pages_(new std::atomic<Page>[PageCount(bytes, page_bytes_)]) {
  for (size_t i = 0; i < PageCount(bytes_, page_bytes_); ++i) {
    pages_[i].store(Page::kShared, std::memory_order_relaxed);  // nobody else knows of us yet
  }
}

SharedMapping::~SharedMapping() {
  fault_handler::Forget(this);  // first: the addresses may be somebody else's next
  munmap(data_, bytes_);
}

bool SharedMapping::Lost(const char* begin, uint64_t length) const {
  std::atomic_thread_fence(std::memory_order_acquire);  // P31
  if (!failed() || length == 0 || begin < data_ || begin >= data_ + bytes_) {
    return false;
  }
  const auto from = static_cast<uint64_t>(begin - data_);
  for (size_t i = from / page_bytes_; i <= (from + length - 1) / page_bytes_; ++i) {
    if (pages_[i].load(std::memory_order_relaxed) == Page::kLost) {  // behind the fence
      return true;
    }
  }
  return false;
}

bool SharedMapping::Replace(uintptr_t address, bool bad_memory) noexcept {
  failed_.store(true, std::memory_order_relaxed);  // before anything can be stored in vain
  const size_t index = (address - reinterpret_cast<uintptr_t>(data_)) / page_bytes_;
  if (bad_memory && pages_[index].load(std::memory_order_relaxed) != Page::kShared) {
    return false;  // private already, and broken: no other thread's work would help
  }
  if (access_ == Access::kReadWrite && index != 0 && !ReplacePage(0)) {
    return false;
  }
  return ReplacePage(index);
}

// One thread exchanges a page; whoever met the same fault waits for it and tries its access again.
bool SharedMapping::ReplacePage(size_t index) noexcept {
  Page seen = Page::kShared;
  // Relaxed: decides who does it; the memory itself changes under the kernel's locks.
  if (pages_[index].compare_exchange_strong(seen, Page::kBusy, std::memory_order_relaxed)) {
    return Exchange(index);
  }
  while (pages_[index].load(std::memory_order_relaxed) == Page::kBusy) {
    sched_yield();
  }
  // Shared again: the other one could not do it.
  return pages_[index].load(std::memory_order_relaxed) != Page::kShared;
}

bool SharedMapping::Exchange(size_t index) noexcept {
  char* const page = data_ + index * page_bytes_;
  void* fresh =
      mmap(nullptr, page_bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  bool done = false;
  if (fresh != MAP_FAILED) {
    const bool kept = CopyThroughPipe(page, static_cast<char*>(fresh), page_bytes_);
    if (!kept) {
      pages_[index].store(Page::kLost, std::memory_order_release);  // P31: before zeros can be read
    }
    done =
        mremap(fresh, page_bytes_, page_bytes_, MREMAP_MAYMOVE | MREMAP_FIXED, page) != MAP_FAILED;
    if (done && kept) {
      pages_[index].store(Page::kKept, std::memory_order_relaxed);
    }
    if (!done) {
      munmap(fresh, page_bytes_);
    }
  }
  if (!done) {
    pages_[index].store(Page::kShared, std::memory_order_relaxed);
  }
  return done;
}

}  // namespace lss
