#include "lss/device/uring_writer.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <string>
#include <thread>
#include <utility>

#include "lss/base/check.h"

namespace lss {
namespace {

// Room for the longest chain, one op for each buffer of a ring, at once: a link ends at a submit
// call.
constexpr unsigned kQueueEntries = 512;
// One entry stays free for the wake request. The completion queue is twice as long.
constexpr size_t kMaxInFlight = kQueueEntries - 1;

// The kernel may be short of memory for requests. Tries in a row without one taken, this far apart,
// before that counts as a refusal.
constexpr int kSubmitTriesMax = 100;
constexpr std::chrono::milliseconds kSubmitPause(1);
constexpr int kWakeFailuresMax = 16;
// A bound for waits outside the ring: what is missed is seen then.
constexpr int kOutsideWaitMs = 1000;

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

const char* RemedyOf(int error_number) {
  switch (error_number) {
    case EPERM:
    case EACCES:
      return "; a seccomp filter or kernel.io_uring_disabled forbids it";
    case ENOSYS:
    case EOPNOTSUPP:
      return "; the kernel is too old for it, or was built without it";
    case ENOMEM:
      return "; raise the limit of locked memory (ulimit -l)";
    case EMFILE:
    case ENFILE:
      return "; raise the limit of open files (ulimit -n)";
    case EAGAIN:
    case ECANCELED:
      return "; no worker threads, see pids.max and the limit of processes (ulimit -u)";
    default:
      return "";
  }
}

std::string Because(const char* what, int error_number) {
  const char* description = strerrordesc_np(error_number);
  return std::string(what) + ": " + (description != nullptr ? description : "error") + " (errno " +
         std::to_string(error_number) + ")" + RemedyOf(error_number);
}

// Whether another way to write may do. What the device or the file system says about the bytes is
// final; everything else is about io_uring.
bool IsAboutTheBytes(int error_number) {
  return error_number == EIO || error_number == ENOSPC || error_number == EDQUOT ||
         error_number == EFBIG || error_number == EROFS || error_number == EFAULT;
}

bool KnowsTheOperations(io_uring* ring) {
  io_uring_probe* const probe = io_uring_get_probe_ring(ring);
  if (probe == nullptr) {
    return true;  // it may not be asked; requests will tell
  }
  const bool known = io_uring_opcode_supported(probe, IORING_OP_WRITE) != 0 &&
                     io_uring_opcode_supported(probe, IORING_OP_READ) != 0;
  io_uring_free_probe(probe);
  return known;
}

// One request that does nothing, all the way through.
int TryRequest(io_uring* ring) {
  io_uring_prep_nop(io_uring_get_sqe(ring));
  int result = 0;
  do {
    result = io_uring_submit_and_wait(ring, 1);
  } while (result == -EINTR);
  io_uring_cqe* cqe = nullptr;
  if (result < 0 || io_uring_peek_cqe(ring, &cqe) != 0) {
    return result < 0 ? result : -EAGAIN;
  }
  io_uring_cqe_seen(ring, cqe);
  return 0;
}

}  // namespace

Status UringWriter::Create(int wake_fd, WarningSink warn, std::unique_ptr<UringWriter>* result) {
  std::unique_ptr<UringWriter> writer(new UringWriter(wake_fd, std::move(warn)));
  Status status = writer->SetUp();
  if (status.ok()) {
    *result = std::move(writer);
  }
  return status;
}

Status UringWriter::SetUp() {
  int error = InitRing(&ring_);
  if (error < 0) {
    ring_.ring_fd = -1;
    return Status::NotSupported(Because("io_uring_setup", -error));
  }
  if (!KnowsTheOperations(&ring_)) {
    return Status::NotSupported(Because("io_uring's write", EOPNOTSUPP));
  }
  error = TryRequest(&ring_);
  return error == 0 ? Status::Ok() : Status::NotSupported(Because("io_uring_enter", -error));
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

void UringWriter::Submit(unsigned completions) {
  for (int tries = 0; !given_up_;) {
    const unsigned before = io_uring_sq_ready(&ring_);
    const int result =
        completions > 0 ? io_uring_submit_and_wait(&ring_, completions) : io_uring_submit(&ring_);
    const unsigned left = io_uring_sq_ready(&ring_);
    untaken_.erase(untaken_.begin(), untaken_.begin() + (before - left));
    if (result >= 0 && left == 0) {
      return;
    }
    if (result == -EINTR) {
      continue;
    }
    const bool transient = result >= 0 || result == -EAGAIN || result == -EBUSY;
    tries = left < before ? 0 : tries + 1;
    if (!transient || tries > kSubmitTriesMax) {
      GiveUp(result < 0 ? -result : EAGAIN);
    } else if (tries > 0) {
      std::this_thread::sleep_for(kSubmitPause);
    }
  }
}

// The requests that the kernel has not taken stay in a queue that nobody submits any more, and go
// with the ring.
void UringWriter::GiveUp(int error_number) {
  if (given_up_) {
    return;
  }
  given_up_ = true;
  if (warn_) {
    warn_(Because("io_uring works no more", error_number) +
          "; writing on one thread from here on (option io_uring=false silences this)");
  }
  for (Tag* const tag : std::exchange(untaken_, {})) {
    if (tag == nullptr) {
      wake_armed_ = false;
    } else {
      OnCompletion(tag, -ECANCELED);
    }
  }
  ended_.insert(ended_.end(), waiting_.begin(), waiting_.end());
  waiting_.clear();
}

void UringWriter::WriteFile(int fd, FlushClient* client, const std::vector<WriteOp>& ops) {
  if (given_up_) {
    client->device()->Device::Submit(this, client, ops);  // the way that blocks
    return;
  }
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
  Submit(0);
}

void UringWriter::IssueOrQueue(Chain* chain) {
  LSS_CHECK(chain->writes.ops().size() <= kMaxInFlight, "a chain is longer than the queue");
  if (given_up_) {
    ended_.push_back(chain);
  } else if (in_flight_ + chain->writes.ops().size() <= kMaxInFlight) {
    Issue(chain);
  } else {
    waiting_.push_back(chain);
  }
}

void UringWriter::Issue(Chain* chain) {
  // A link ends at a submit call, so the whole chain must fit before the next one.
  if (io_uring_sq_space_left(&ring_) < chain->writes.ops().size() + 1) {
    Submit(0);
  }
  if (given_up_) {
    ended_.push_back(chain);
    return;
  }
  const std::vector<WriteChain::Request> requests = chain->writes.TakeRequests();
  for (size_t i = 0; i < requests.size(); ++i) {
    const WriteChain::Request& request = requests[i];
    io_uring_sqe* sqe = io_uring_get_sqe(&ring_);
    io_uring_prep_write(sqe, chain->fd, request.data, static_cast<unsigned>(request.length),
                        request.offset);
    if (i + 1 < requests.size()) {
      sqe->flags |= IOSQE_IO_LINK;
    }
    auto* const tag = new Tag{chain, request.index};
    io_uring_sqe_set_data(sqe, tag);
    untaken_.push_back(tag);
    ++in_flight_;
  }
}

void UringWriter::IssueWaiting() {
  while (!waiting_.empty() && in_flight_ + waiting_.front()->writes.ops().size() <= kMaxInFlight) {
    Chain* const chain = waiting_.front();
    waiting_.pop_front();
    Issue(chain);
  }
}

void UringWriter::ArmWake() {
  if (!wake_armed_ && !given_up_) {
    io_uring_sqe* sqe = io_uring_get_sqe(&ring_);
    io_uring_prep_read(sqe, wake_fd(), &wake_count_, sizeof(wake_count_), 0);
    io_uring_sqe_set_data(sqe, nullptr);
    untaken_.push_back(nullptr);
    wake_armed_ = true;
  }
}

void UringWriter::OnCompletion(Tag* tag, int32_t result) {
  Chain* const chain = tag->chain;
  --in_flight_;
  chain->writes.OnResult(tag->index, result);
  delete tag;
  if (chain->writes.verdict() == WriteChain::Verdict::kResubmit && !given_up_) {
    Issue(chain);
  } else if (chain->writes.verdict() != WriteChain::Verdict::kPending) {
    ended_.push_back(chain);
  }
}

void UringWriter::OnWake(int32_t result) {
  wake_armed_ = false;
  wake_failures_ = result >= 0 ? 0 : wake_failures_ + 1;
  if (wake_failures_ > kWakeFailuresMax) {
    GiveUp(-result);
  }
}

void UringWriter::DrainCompletions() {
  io_uring_cqe* cqe = nullptr;
  while (io_uring_peek_cqe(&ring_, &cqe) == 0) {
    auto* const tag = static_cast<Tag*>(io_uring_cqe_get_data(cqe));
    const int32_t result = cqe->res;
    io_uring_cqe_seen(&ring_, cqe);
    if (tag == nullptr) {
      OnWake(result);
    } else {
      OnCompletion(tag, result);
    }
  }
}

// Completions of what the kernel has taken appear without a call of ours, as does the wake-up if
// its request is among them.
void UringWriter::AwaitWithoutEnter() {
  pollfd fds[2] = {{ring_.ring_fd, POLLIN, 0}, {wake_armed_ ? -1 : wake_fd(), POLLIN, 0}};
  const int ready = poll(fds, 2, kOutsideWaitMs);
  if (ready > 0 && fds[1].revents != 0) {
    uint64_t count = 0;
    if (read(wake_fd(), &count, sizeof(count)) < 0) {
      std::this_thread::sleep_for(kSubmitPause);  // nothing that fails at once is waited for
    }
  }
}

void UringWriter::Reap(const Done& done) {
  const std::vector<Finished> reported = TakeReported();
  ArmWake();
  Submit(reported.empty() && ended_.empty() ? 1 : 0);
  if (given_up_ && reported.empty() && ended_.empty()) {
    AwaitWithoutEnter();
  }
  // Drain before any callback runs: a callback may submit, and must find room.
  DrainCompletions();
  if (!given_up_) {
    IssueWaiting();
    Submit(0);
  }
  for (const Finished& op : reported) {
    done(op.client, op.op, op.status);
  }
  for (Chain* chain : std::exchange(ended_, {})) {
    Finish(chain, done);
  }
}

void UringWriter::Finish(Chain* chain, const Done& done) {
  const WriteChain& writes = chain->writes;
  Status status;
  for (size_t i = 0; i < writes.ops().size(); ++i) {
    const WriteOp& op = writes.ops()[i];
    // In order: nothing is written behind what could not be.
    if (i >= writes.first_unfinished() && status.ok()) {
      status = WriteInstead(*chain, op);
    }
    done(chain->client, op, status);
  }
  chains_.erase(chain);
}

// The rest of a chain that io_uring has not carried. The blocking way knows more ways to write, and
// its answer is final.
Status UringWriter::WriteInstead(const Chain& chain, const WriteOp& op) {
  Device* const device = chain.client->device();
  const int error_number = chain.writes.error_number();
  if (IsAboutTheBytes(error_number)) {
    return Status::FromErrno("write", device->name(), static_cast<int64_t>(op.offset),
                             error_number);
  }
  Status status = WriteNow(device, op);
  // A file may refuse a request (direct I/O, by EINVAL) that io_uring carries for others.
  if (status.ok() && error_number != 0 && error_number != EINVAL) {
    GiveUp(error_number);
  }
  return status;
}

}  // namespace lss
