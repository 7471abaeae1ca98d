// Reads of several ranges of one file at once.
//
// Thread safety: a ReadQueue by one thread at a time; ReadQueuePool from any thread.
#pragma once

#include <liburing.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "lss/base/mutex.h"
#include "lss/base/status.h"

namespace lss {

struct RangeRead {
  uint64_t offset = 0;
  uint32_t length = 0;
  char* destination = nullptr;
  // After Run: bytes read, or -errno.
  int64_t result = 0;
};

class ReadQueue {
 public:
  static constexpr unsigned kDepth = 64;

  // Null where this kernel gives no io_uring.
  static std::unique_ptr<ReadQueue> Create();
  ~ReadQueue();
  ReadQueue(const ReadQueue&) = delete;
  ReadQueue& operator=(const ReadQueue&) = delete;

  // Returns when none of `reads` is under way any more. False: the kernel does not take them, some
  // have no result, and the queue must not be used again.
  bool Run(int fd, std::vector<RangeRead>* reads);

 private:
  ReadQueue() = default;
  // Puts reads from `next` on into the queue; which one comes next then.
  size_t Prepare(int fd, std::vector<RangeRead>* reads, size_t next, size_t under_way);
  void Reap();

  io_uring ring_ = {};
  bool made_ = false;
};

// Queues for threads that read now and then.
class ReadQueuePool {
 public:
  // `use_io_uring`: off, the pool reads one after the other.
  explicit ReadQueuePool(bool use_io_uring) : usable_(use_io_uring) {}

  // Returns when each of `reads` has its result.
  void Run(int fd, std::vector<RangeRead>* reads);

 private:
  std::unique_ptr<ReadQueue> Take();
  void GiveBack(std::unique_ptr<ReadQueue> queue);

  Mutex mutex_;
  std::vector<std::unique_ptr<ReadQueue>> idle_ LSS_GUARDED_BY(mutex_);
  bool usable_ LSS_GUARDED_BY(mutex_);
};

}  // namespace lss
