#include "lss/pages/read_queue.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace lss {
namespace {

int64_t ReadNow(int fd, const RangeRead& read) {
  for (;;) {
    const ssize_t got = pread(fd, read.destination, read.length, static_cast<off_t>(read.offset));
    if (got >= 0 || errno != EINTR) {
      return got >= 0 ? got : -errno;
    }
  }
}

// More idle queues than that are not kept.
constexpr size_t kIdleMax = 16;

}  // namespace

std::unique_ptr<ReadQueue> ReadQueue::Create() {
  std::unique_ptr<ReadQueue> queue(new ReadQueue);
  queue->made_ = io_uring_queue_init(kDepth, &queue->ring_, 0) == 0;
  return queue->made_ ? std::move(queue) : nullptr;
}

ReadQueue::~ReadQueue() {
  if (made_) {
    io_uring_queue_exit(&ring_);
  }
}

bool ReadQueue::Reap() {
  io_uring_cqe* cqe = nullptr;
  int waited = 0;
  do {
    waited = io_uring_wait_cqe(&ring_, &cqe);
  } while (waited == -EINTR);
  if (waited != 0) {
    return false;
  }
  static_cast<RangeRead*>(io_uring_cqe_get_data(cqe))->result = cqe->res;
  io_uring_cqe_seen(&ring_, cqe);
  return true;
}

bool ReadQueue::Run(int fd, std::vector<RangeRead>* reads) {
  for (RangeRead& read : *reads) {
    read.result = -EIO;
  }
  size_t next = 0;
  size_t under_way = 0;
  while (next < reads->size() || under_way > 0) {
    size_t prepared = 0;
    while (next < reads->size() && under_way + prepared < kDepth) {
      RangeRead& read = (*reads)[next];
      io_uring_sqe* sqe = io_uring_get_sqe(&ring_);
      if (sqe == nullptr) {
        break;
      }
      io_uring_prep_read(sqe, fd, read.destination, read.length, read.offset);
      io_uring_sqe_set_data(sqe, &read);
      ++next;
      ++prepared;
    }
    // What the kernel does not take now stays in the queue for the next call.
    const int taken = io_uring_submit(&ring_);
    if (taken < 0 && taken != -EINTR && taken != -EAGAIN && taken != -EBUSY) {
      return false;
    }
    under_way += prepared;
    if (!Reap()) {
      return false;
    }
    --under_way;
  }
  return true;
}

std::unique_ptr<ReadQueue> ReadQueuePool::Take() {
  const MutexLock lock(&mutex_);
  if (!idle_.empty()) {
    std::unique_ptr<ReadQueue> queue = std::move(idle_.back());
    idle_.pop_back();
    return queue;
  }
  return usable_ ? ReadQueue::Create() : nullptr;
}

void ReadQueuePool::GiveBack(std::unique_ptr<ReadQueue> queue) {
  const MutexLock lock(&mutex_);
  if (idle_.size() < kIdleMax) {
    idle_.push_back(std::move(queue));
  }
}

void ReadQueuePool::Run(int fd, std::vector<RangeRead>* reads) {
  if (reads->size() > 1) {
    if (std::unique_ptr<ReadQueue> queue = Take(); queue != nullptr) {
      if (queue->Run(fd, reads)) {
        GiveBack(std::move(queue));
        return;
      }
      // Buffers of reads that the kernel still has must not be touched: the queue's end waits.
    }
  }
  for (RangeRead& read : *reads) {
    read.result = ReadNow(fd, read);
  }
}

}  // namespace lss
