#include "lss/device/uring_writer.h"

#include <cerrno>

#include "lss/base/check.h"

namespace lss {
namespace {

// Room for the longest chain, one op for each buffer of a ring, at once: a link ends at a submit
// call.
constexpr unsigned kQueueEntries = 512;
// One entry stays free for the wake request. The completion queue is twice as long.
constexpr size_t kMaxInFlight = kQueueEntries - 1;

int InitRing(io_uring* ring) {
#if defined(IORING_SETUP_SINGLE_ISSUER) && defined(IORING_SETUP_COOP_TASKRUN)
  // Completions then run when this thread looks, instead of interrupting it. Linux 6.0.
  const int result = io_uring_queue_init(kQueueEntries, ring,
                                         IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_COOP_TASKRUN);
  if (result != -EINVAL) {
    return result;
  }
#endif
  return io_uring_queue_init(kQueueEntries, ring, 0);
}

}  // namespace

Status UringWriter::Create(int wake_fd, std::unique_ptr<UringWriter>* result) {
  std::unique_ptr<UringWriter> writer(new UringWriter(wake_fd));
  const int error = InitRing(&writer->ring_);
  if (error < 0) {
    writer->ring_.ring_fd = -1;
    return Status::FromErrno("set up", "io_uring", -1, -error);
  }
  *result = std::move(writer);
  return Status::Ok();
}

UringWriter::~UringWriter() {
  if (ring_.ring_fd < 0) {
    return;
  }
  const Done ignore = [](FlushClient*, const WriteOp&, const Status&) {};
  while (!chains_.empty()) {
    Reap(ignore);
  }
  io_uring_queue_exit(&ring_);
}

void UringWriter::SubmitQueued() {
  // -EAGAIN: the kernel is short of memory for requests; trying again is all there is.
  int result = 0;
  do {
    result = io_uring_submit(&ring_);
  } while (result == -EINTR || result == -EAGAIN);
}

void UringWriter::WriteFile(int fd, FlushClient* client, const std::vector<WriteOp>& ops) {
  const auto start = [&](const std::vector<WriteOp>& batch) {
    auto chain = std::make_unique<Chain>(Chain{fd, client, WriteChain(batch)});
    Chain* raw = chain.get();
    chains_.emplace(raw, std::move(chain));
    IssueOrQueue(raw);
  };
  if (client->InOrder()) {
    start(ops);
  } else {
    for (const WriteOp& op : ops) {
      start({op});
    }
  }
  SubmitQueued();
}

void UringWriter::IssueOrQueue(Chain* chain) {
  LSS_CHECK(chain->writes.ops().size() <= kMaxInFlight, "a chain is longer than the queue");
  if (in_flight_ + chain->writes.ops().size() <= kMaxInFlight) {
    Issue(chain);
  } else {
    waiting_.push_back(chain);
  }
}

void UringWriter::Issue(Chain* chain) {
  const std::vector<WriteChain::Request> requests = chain->writes.TakeRequests();
  // A link ends at a submit call, so the whole chain must fit before the next one.
  if (io_uring_sq_space_left(&ring_) < requests.size() + 1) {
    SubmitQueued();
  }
  for (size_t i = 0; i < requests.size(); ++i) {
    const WriteChain::Request& request = requests[i];
    io_uring_sqe* sqe = io_uring_get_sqe(&ring_);
    io_uring_prep_write(sqe, chain->fd, request.data, static_cast<unsigned>(request.length),
                        request.offset);
    if (i + 1 < requests.size()) {
      sqe->flags |= IOSQE_IO_LINK;
    }
    io_uring_sqe_set_data(sqe, new Tag{chain, request.index});
    ++in_flight_;
  }
}

void UringWriter::ArmWake() {
  if (!wake_armed_) {
    io_uring_sqe* sqe = io_uring_get_sqe(&ring_);
    io_uring_prep_read(sqe, wake_fd(), &wake_count_, sizeof(wake_count_), 0);
    io_uring_sqe_set_data(sqe, nullptr);
    wake_armed_ = true;
  }
}

void UringWriter::Reap(const Done& done) {
  const std::vector<Finished> reported = TakeReported();
  ArmWake();
  int result = 0;
  do {
    result = io_uring_submit_and_wait(&ring_, reported.empty() ? 1 : 0);
  } while (result == -EINTR || result == -EAGAIN);
  // Drain before any callback runs: a callback may submit, and must find room.
  std::vector<Chain*> finished;
  io_uring_cqe* cqe = nullptr;
  while (io_uring_peek_cqe(&ring_, &cqe) == 0) {
    const std::unique_ptr<Tag> tag(static_cast<Tag*>(io_uring_cqe_get_data(cqe)));
    const int32_t outcome = cqe->res;
    io_uring_cqe_seen(&ring_, cqe);
    if (tag == nullptr) {
      wake_armed_ = false;
      continue;
    }
    --in_flight_;
    tag->chain->writes.OnResult(tag->index, outcome);
    if (tag->chain->writes.verdict() == WriteChain::Verdict::kResubmit) {
      Issue(tag->chain);
    } else if (tag->chain->writes.verdict() != WriteChain::Verdict::kPending) {
      finished.push_back(tag->chain);
    }
  }
  while (!waiting_.empty() && in_flight_ + waiting_.front()->writes.ops().size() <= kMaxInFlight) {
    Issue(waiting_.front());
    waiting_.pop_front();
  }
  if (io_uring_sq_ready(&ring_) > 0) {
    SubmitQueued();
  }
  for (const Finished& op : reported) {
    done(op.client, op.op, op.status);
  }
  for (Chain* chain : finished) {
    Finish(chain, done);
  }
}

void UringWriter::Finish(Chain* chain, const Done& done) {
  const WriteChain& writes = chain->writes;
  Device* device = chain->client->device();
  for (size_t i = 0; i < writes.ops().size(); ++i) {
    const WriteOp& op = writes.ops()[i];
    Status status;
    if (i >= writes.first_unfinished()) {
      if (writes.error_number() == EINVAL || writes.error_number() == EOPNOTSUPP) {
        // The file refuses this kind of request (no direct I/O here). The blocking path knows how
        // to fall back, and says so.
        status = WriteNow(device, op);
      } else {
        status = Status::FromErrno("write", device->name(), static_cast<int64_t>(op.offset),
                                   writes.error_number());
      }
    }
    done(chain->client, op, status);
  }
  chains_.erase(chain);
}

}  // namespace lss
