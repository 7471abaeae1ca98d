#include "lss/pages/read_queue.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <thread>
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
// So often in a row the kernel may take nothing before the reads are made without it.
constexpr int kRefusalsMax = 100;

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

// The kernel tells of ends in shared memory, also where it refuses to wait.
void ReadQueue::Reap() {
  io_uring_cqe* cqe = nullptr;
  while (io_uring_wait_cqe(&ring_, &cqe) != 0 && io_uring_peek_cqe(&ring_, &cqe) != 0) {
    std::this_thread::sleep_for(std::chrono::microseconds(50));
  }
  static_cast<RangeRead*>(io_uring_cqe_get_data(cqe))->result = cqe->res;
  io_uring_cqe_seen(&ring_, cqe);
}

size_t ReadQueue::Prepare(int fd, std::vector<RangeRead>* reads, size_t next, size_t under_way) {
  while (next < reads->size() && under_way + io_uring_sq_ready(&ring_) < kDepth) {
    RangeRead& read = (*reads)[next];
    io_uring_sqe* sqe = io_uring_get_sqe(&ring_);
    if (sqe == nullptr) {
      break;
    }
    io_uring_prep_read(sqe, fd, read.destination, read.length, read.offset);
    io_uring_sqe_set_data(sqe, &read);
    ++next;
  }
  return next;
}

bool ReadQueue::Run(int fd, std::vector<RangeRead>* reads) {
  size_t next = 0;
  size_t under_way = 0;
  int refusals = 0;
  while ((next < reads->size() || under_way > 0 || io_uring_sq_ready(&ring_) > 0) &&
         refusals < kRefusalsMax) {
    next = Prepare(fd, reads, next, under_way);
    // What the kernel does not take now stays in the queue for the next call.
    const int taken = io_uring_sq_ready(&ring_) > 0 ? io_uring_submit(&ring_) : 0;
    under_way += static_cast<size_t>(std::max(taken, 0));
    if (under_way > 0) {
      Reap();
      --under_way;
      refusals = 0;
    } else {
      ++refusals;
      std::this_thread::yield();
    }
  }
  return refusals < kRefusalsMax;
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
    }
  }
  for (RangeRead& read : *reads) {
    read.result = ReadNow(fd, read);
  }
}

}  // namespace lss
