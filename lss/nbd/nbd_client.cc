#include "lss/nbd/nbd_client.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace lss {
namespace {

constexpr int kPauseMs = 100;  // between two attempts to connect

const char* NameOf(NbdRequest::Kind kind) {
  switch (kind) {
    case NbdRequest::Kind::kRead:
      return "read";
    case NbdRequest::Kind::kWrite:
      return "write";
    case NbdRequest::Kind::kFlush:
      return "flush";
  }
  return "request";
}

std::string OffsetOf(const NbdRequest& request) {
  return request.kind == NbdRequest::Kind::kFlush ? ""
                                                  : " at offset " + std::to_string(request.offset);
}

}  // namespace

// --- its life ---

Status NbdClient::Open(NbdUri uri, const RemoteOptions& options,
                       std::unique_ptr<NbdClient>* client) {
  std::unique_ptr<NbdClient> fresh(new NbdClient(std::move(uri), options));
  std::unique_ptr<NbdSession> session;
  Status status = NbdSession::Connect(fresh->uri_, fresh->Limits(), &session);
  if (status.ok()) {
    status = fresh->Start(std::move(session));
  }
  if (status.ok()) {
    *client = std::move(fresh);
  }
  return status;
}

Status NbdClient::Start(std::unique_ptr<NbdSession> session) {
  facts_ = session->facts();
  {
    const MutexLock lock(&mutex_);
    Adopt(std::move(session));
  }
  wake_ = UniqueFd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake_.valid()) {
    return Status::FromErrno("eventfd for", uri_.text, -1, errno);
  }
  return Thread::Start(
      "bloom_lfs_nbd", [this] { Main(); }, &thread_);
}

NbdClient::~NbdClient() {
  if (fork_guard_.InForkedChild()) {
    thread_.Forget();
    (void)session_.release();  // the parent's connection: closing it would say goodbye on it
    return;
  }
  stopping_.store(true, std::memory_order_relaxed);
  if (wake_.valid()) {
    Wake();
  }
  thread_.Join();
}

NbdSession::Limits NbdClient::Limits() const {
  return {std::chrono::milliseconds(options_.connect_timeout_ms),
          std::chrono::milliseconds(options_.dead_peer_ms), &stopping_};
}

std::chrono::milliseconds NbdClient::Patience() const {
  return std::chrono::milliseconds(options_.reconnect_for_ms);
}

// Calls that are made together are of one kind.
std::chrono::milliseconds NbdClient::AnswerWithin(const std::vector<NbdCall>& calls) const {
  const bool reads = !calls.empty() && calls.front().kind == NbdRequest::Kind::kRead;
  return std::chrono::milliseconds(reads ? options_.read_within_ms : options_.write_within_ms);
}

// --- on the caller's thread ---

Status NbdClient::Run(std::vector<NbdCall>* calls, NbdBatch* batch) {
  if (fork_guard_.InForkedChild()) {
    return Status::IoError("use " + uri_.text +
                           ": this is a forked child, and the connection is its parent's; open "
                           "the device in the process that uses it");
  }
  const MutexLock lock(&mutex_);
  batch->left = calls->size();
  batch->answer_within = AnswerWithin(*calls);
  for (NbdCall& call : *calls) {
    call.batch = batch;
    Begin(&call);
  }
  if (session_ == nullptr || session_->WantsAttention()) {
    Wake();
  }
  WaitFor(batch);
  return std::exchange(batch->status, Status::Ok());
}

void NbdClient::Begin(NbdCall* call) {
  if (session_ != nullptr && session_->alive()) {
    call->covers = writes_done_;
    if (call->batch->answer_within.count() > 0) {
      call->batch->answer_by = Clock::now() + call->batch->answer_within;
    }
    session_->Begin(call);
    return;
  }
  waiting_.push_back(call);
  NbdBatch* const batch = call->batch;
  if (!batch->leave_at) {
    batch->leave_at = Clock::now() + Patience();
    batch->give_up_at = failing_since_ ? *failing_since_ + Patience() : *batch->leave_at;
  }
}

// Requests that were sent are waited for until the connection is lost: the server has their memory.
// Those that wait for a connection are taken back when it takes too long.
void NbdClient::WaitFor(NbdBatch* batch) {
  while (batch->left > 0) {
    if (session_ != nullptr || !batch->leave_at) {
      WaitForAnswer(batch);
    } else if (Clock::now() < *batch->leave_at) {
      batch->done.WaitUntil(&mutex_, *batch->leave_at);
    } else {
      Abandon([=](const NbdCall& call) { return call.batch == batch; });
    }
  }
}

// A server that takes too long is left: whoever has set a limit can do without it.
void NbdClient::WaitForAnswer(NbdBatch* batch) {
  if (!batch->answer_by || session_ == nullptr) {
    batch->done.Wait(&mutex_);
  } else if (Clock::now() < *batch->answer_by) {
    batch->done.WaitUntil(&mutex_, *batch->answer_by);
  } else {
    batch->answer_by.reset();
    if (session_->alive()) {
      session_->HangUp("no answer within " + std::to_string(batch->answer_within.count()) + " ms");
    }
    Wake();
  }
}

void NbdClient::Wake() const {
  const uint64_t one = 1;
  (void)!write(wake_.get(), &one, sizeof(one));  // full: awake anyway
}

bool NbdClient::lost_writes() {
  const MutexLock lock(&mutex_);
  return lost_writes_;
}

// --- on our thread ---

void NbdClient::Main() {
  const MutexLock lock(&mutex_);
  while (!stopping_.load(std::memory_order_relaxed)) {
    if (session_ != nullptr) {
      PollSession();
    } else if (waiting_.empty()) {
      Rest(-1);
    } else {
      Reconnect();
    }
  }
}

void NbdClient::PollSession() {
  // What could not be sent is answered without the server.
  if (session_->alive() && !session_->has_answered()) {
    // A thread whose request finds the connection dead may close the descriptor meanwhile. It wakes
    // us, and what another file under the same number has to say is not taken for more than it is.
    pollfd polled[] = {{session_->fd(), session_->events(), 0}, {wake_.get(), POLLIN, 0}};
    mutex_.Unlock();
    (void)poll(polled, 2, -1);
    mutex_.Lock();
    if (polled[1].revents != 0) {
      uint64_t count = 0;
      (void)!read(wake_.get(), &count, sizeof(count));
    }
    if (polled[0].revents != 0 && session_->alive()) {
      session_->Notify(polled[0].revents);
    }
  }
  Settle();
}

void NbdClient::Rest(int timeout_ms) {
  pollfd polled = {wake_.get(), POLLIN, 0};
  mutex_.Unlock();
  if (poll(&polled, 1, timeout_ms) > 0) {
    uint64_t count = 0;
    (void)!read(wake_.get(), &count, sizeof(count));
  }
  mutex_.Lock();
}

void NbdClient::Settle() {
  for (NbdRequest* const answered : session_->TakeAnswered()) {
    Answer(static_cast<NbdCall*>(answered));
  }
  if (!session_->alive()) {
    Lose();
  }
}

void NbdClient::Answer(NbdCall* call) {
  if (call->error == NbdRequest::kLost) {
    waiting_.push_back(call);
    return;
  }
  call->batch->oldest_connection = std::min(call->batch->oldest_connection, connection_);
  call->batch->newest_connection = std::max(call->batch->newest_connection, connection_);
  if (call->error == 0) {
    NoteDone(*call);
    Finish(call, Status::Ok());
    return;
  }
  const bool flush = call->kind == NbdRequest::Kind::kFlush;
  Finish(call, Status::FromErrno(NameOf(call->kind), uri_.text + " (its server says so)",
                                 flush ? -1 : static_cast<int64_t>(call->offset), call->error));
}

void NbdClient::NoteDone(const NbdCall& call) {
  if (call.kind == NbdRequest::Kind::kWrite && !call.vouched) {
    ++writes_done_;
  } else if (call.kind == NbdRequest::Kind::kFlush) {
    writes_synced_ = std::max(writes_synced_, call.covers);
  }
}

void NbdClient::Finish(NbdCall* call, const Status& status) {
  NbdBatch* const batch = call->batch;
  if (batch->status.ok()) {
    batch->status = status;
  }
  if (--batch->left == 0) {
    batch->done.NotifyOne();
  }
}

// --- without a connection ---

void NbdClient::Lose() {
  session_->Close();
  for (NbdRequest* const answered : session_->TakeAnswered()) {
    Answer(static_cast<NbdCall*>(answered));
  }
  cause_ = Status::IoError("connection to " + uri_.text + " lost: " +
                           (session_->cause().empty() ? "unknown cause" : session_->cause()));
  session_.reset();
  lost_writes_ = lost_writes_ || writes_synced_ < writes_done_;
  Say(cause_.message() + "; trying to get a new one when it is needed");
  const auto now = Clock::now();
  for (NbdCall* const call : waiting_) {
    NbdBatch* const batch = call->batch;
    if (!batch->leave_at) {
      batch->leave_at = batch->give_up_at = now + Patience();
    }
    batch->done.NotifyOne();  // from now on it waits with a limit
  }
}

void NbdClient::Reconnect() {
  std::unique_ptr<NbdSession> fresh;
  mutex_.Unlock();
  Status status = NbdSession::Connect(uri_, Limits(), &fresh);
  const Status same = status.ok() ? CheckSame(fresh->facts()) : Status::Ok();
  mutex_.Lock();
  if (status.ok() && same.ok()) {
    Adopt(std::move(fresh));
    return;
  }
  cause_ = status.ok() ? same : status;
  const auto now = Clock::now();
  failing_since_ = failing_since_.value_or(now);
  Abandon([&](const NbdCall& call) {
    return !same.ok() || !call.batch->give_up_at || now >= *call.batch->give_up_at;
  });
  if (!waiting_.empty()) {
    Rest(kPauseMs);
  }
}

Status NbdClient::CheckSame(const NbdExport& found) const {
  const bool offers_less = (facts_.fua && !found.fua) || (facts_.flush && !found.flush) ||
                           found.alignment > facts_.alignment ||
                           found.largest_request < facts_.largest_request;
  if (found.size == facts_.size && !offers_less) {
    return Status::Ok();
  }
  return Status::IoError("connect " + uri_.text + ": the export is not what it was (" +
                         std::to_string(found.size) + " bytes instead of " +
                         std::to_string(facts_.size) + (offers_less ? ", and it offers less" : "") +
                         "); start the server with the same export, or open the place anew");
}

void NbdClient::Adopt(std::unique_ptr<NbdSession> session) {
  session_ = std::move(session);
  failing_since_.reset();
  if (++connection_ > 1) {
    Say("connected to " + uri_.text + " again");
  }
  for (NbdCall* const call : std::exchange(waiting_, {})) {
    Begin(call);
  }
}

template <typename Match>
void NbdClient::Abandon(const Match& match) {
  const auto kept = std::stable_partition(waiting_.begin(), waiting_.end(),
                                          [&](NbdCall* call) { return !match(*call); });
  const std::vector<NbdCall*> abandoned(kept, waiting_.end());
  waiting_.erase(kept, waiting_.end());
  for (NbdCall* const call : abandoned) {
    Finish(call, NoConnection(*call));
  }
}

Status NbdClient::NoConnection(const NbdCall& call) const {
  return Status::IoError(std::string(NameOf(call.kind)) + " " + uri_.text + OffsetOf(call) +
                         ": no connection for " + std::to_string(options_.reconnect_for_ms) +
                         " ms: " + cause_.message());
}

void NbdClient::Say(const std::string& line) const {
  if (options_.warn) {
    options_.warn(line);
  }
}

}  // namespace lss
