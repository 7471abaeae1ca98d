// A shared mapping of a file that outlives the file's troubles. A load or store that the file
// system cannot serve (device gone, file system full or shut down, file cut short) raises SIGBUS,
// which ends a process that does nothing about it. Here the page becomes private memory, the access
// goes on, and the mapping says from then on that it has failed: nothing that is stored into it
// reaches the file any more.
//
// What the page held is kept where the kernel still has it, as it does when only a store was
// refused; otherwise the page reads as zeros and is *lost*. Whoever has copied bytes out asks
// Lost() afterwards.
//
// The first page of a writable mapping, where a ring keeps its words, leaves the file with the
// first page that fails: the file then tells of the moment before the fault, and never of bytes
// that it does not have.
//
// Thread safety: every method from any thread; the destructor when nobody uses the memory.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "lss/base/status.h"

namespace lss {

class SharedMapping {
 public:
  enum class Access { kRead, kReadWrite };

  // Maps the first `bytes` of `fd`, which is not kept; `path` is for messages. The file should be
  // as long: what is behind its end is lost when it is touched.
  static Status Map(int fd, const std::string& path, uint64_t bytes, Access access,
                    std::unique_ptr<SharedMapping>* result);
  ~SharedMapping();
  SharedMapping(const SharedMapping&) = delete;
  SharedMapping& operator=(const SharedMapping&) = delete;

  char* data() const { return data_; }
  uint64_t bytes() const { return bytes_; }

  // Whether a page has left the file. Relaxed: a thread knows at once what its own access has met;
  // of others' it learns soon.
  bool failed() const { return failed_.load(std::memory_order_relaxed); }
  // Whether a byte of [begin, begin + length) was lost. Asked after the bytes were read, it vouches
  // for them. Of other memory nothing ever is.
  bool Lost(const char* begin, uint64_t length) const;
  // Whether any byte was.
  bool AnyLost() const { return Lost(data_, bytes_); }

  // For the fault handler: makes the page of `address`, which lies inside, private. False if that
  // cannot be done. `bad_memory`: it is the memory that failed, not the file. Safe in a signal
  // handler.
  bool Replace(uintptr_t address, bool bad_memory) noexcept;

 private:
  enum class Page : uint8_t { kShared, kBusy, kKept, kLost };

  SharedMapping(char* data, uint64_t bytes, Access access);
  bool ReplacePage(size_t index) noexcept;
  bool Exchange(size_t index) noexcept;

  char* const data_;
  const uint64_t bytes_;
  const size_t page_bytes_;  // the system's
  const Access access_;
  const std::unique_ptr<std::atomic<Page>[]> pages_;
  std::atomic<bool> failed_{false};
};

}  // namespace lss
