#include "lss/second_place/failover_stream.h"

#include <algorithm>
#include <utility>

namespace lss {
namespace {

// Unsynced bytes are in shared memory: the file may have them a little later, and many at once.
constexpr auto kGather = std::chrono::milliseconds(1);
constexpr size_t kMostAtOnce = 1 << 20;

}  // namespace

FailoverStream::FailoverStream(const StreamName& name, bool hedge, const SecondParts& parts,
                               std::shared_ptr<SharedFailoverPolicy> policy,
                               std::unique_ptr<HandOffQueue> queue,
                               std::shared_ptr<HandOffFile> file)
    : name_(name),
      hedge_(hedge),
      parts_(parts),
      policy_(std::move(policy)),
      queue_(std::move(queue)),
      file_(std::move(file)),
      side_(name, parts_) {}

Status FailoverStream::Start(const StreamName& name, bool hedge, const SecondParts& parts,
                             std::shared_ptr<SharedFailoverPolicy> policy,
                             std::unique_ptr<HandOffQueue> queue, std::shared_ptr<HandOffFile> file,
                             std::shared_ptr<FailoverStream>* result) {
  std::shared_ptr<FailoverStream> stream(
      new FailoverStream(name, hedge, parts, std::move(policy), std::move(queue), std::move(file)));
  Status status = Thread::Start(
      "bloom_log", [raw = stream.get()] { raw->Run(); }, &stream->thread_);
  if (status.ok()) {
    *result = std::move(stream);
  }
  return status;
}

FailoverStream::~FailoverStream() {
  if (fork_guard_.InForkedChild()) {
    thread_.Forget();
  } else if (thread_.joinable()) {
    (void)Finish();
  }
}

// --- appending ---

Status FailoverStream::Append(ByteView bytes) {
  for (size_t done = 0; done < bytes.size;) {
    const size_t pushed = queue_->Push({bytes.data + done, bytes.size - done});
    MutexLock lock(&mutex_);
    if (!file_error_.ok()) {
      return file_error_;
    }
    const bool was_empty = applied_ == appended_;
    appended_ += pushed;
    if (!too_much_) {
      pending_.append(bytes.data + done, pushed);
      too_much_ = pending_.size() > kMostKept;
    }
    if (too_much_) {
      pending_.clear();
    }
    done += pushed;
    if (was_empty || appended_ - applied_ > kMostAtOnce) {
      work_.NotifyOne();
    }
    if (pushed == 0) {
      drain_wanted_ = appended_;  // there is no room
      work_.NotifyOne();
      changed_.WaitUntil(&mutex_, Clock::now() + kGather);
    }
  }
  return Status::Ok();
}

// --- the stream's thread ---

bool FailoverStream::IsWorkDue() const {
  if (!file_error_.ok()) {
    return false;
  }
  return applied_ < appended_ || sync_wanted_ > file_durable_;
}

void FailoverStream::Run() {
  const MutexLock lock(&mutex_);
  for (;;) {
    while (!IsWorkDue() && !stop_) {
      work_.Wait(&mutex_);
    }
    if (!IsWorkDue()) {
      return;
    }
    const auto until = Clock::now() + kGather;
    while (sync_wanted_ <= file_durable_ && drain_wanted_ <= applied_ && !stop_ &&
           appended_ - applied_ < kMostAtOnce && Clock::now() < until) {
      work_.WaitUntil(&mutex_, until);
    }
    Feed();
    if (file_error_.ok() && sync_wanted_ > file_durable_ && applied_ >= sync_wanted_) {
      SyncFile();
    }
    changed_.NotifyAll();
  }
}

void FailoverStream::Feed() {
  const ByteView bytes = queue_->Front(std::min<size_t>(kMostAtOnce, appended_ - applied_));
  if (bytes.size == 0) {
    return;
  }
  mutex_.Unlock();
  const Status status = file_->Append(bytes);
  mutex_.Lock();
  if (!status.ok()) {
    file_error_ = status;
    return;
  }
  queue_->Pop(bytes.size);
  applied_ += bytes.size;
}

void FailoverStream::SyncFile() {
  const Address end = applied_;
  mutex_.Unlock();
  const int64_t begin = Now();
  const Status status = file_->Sync();
  const int64_t ended = Now();
  parts_.figures->file_waits.Add(static_cast<uint64_t>(ended - begin));
  {
    const MutexLock own(&policy_->mutex);
    policy_->policy.OnFileSynced(begin, ended);
  }
  parts_.figures->file_syncs.fetch_add(1, std::memory_order_relaxed);  // Relaxed: a figure
  mutex_.Lock();
  if (!status.ok()) {
    file_error_ = status;
    return;
  }
  file_durable_ = end;
  const bool frees_room = on_side_ > 0;
  if (too_much_) {
    too_much_ = appended_ > end;
  } else {
    const Address begins = appended_ - pending_.size();
    pending_.erase(0, end > begins ? end - begins : 0);
  }
  if (frees_room) {
    mutex_.Unlock();
    parts_.log->FileDurable(name_, end);
    mutex_.Lock();
  }
}

// --- syncing ---

Status FailoverStream::Sync() {
  int64_t patient_until = 0;
  bool is_patient = false;
  if (!hedge_) {
    const MutexLock own(&policy_->mutex);
    is_patient = !policy_->policy.failed_over();
    patient_until = policy_->policy.PatientUntil(Now());
  }
  MutexLock lock(&mutex_);
  const Address end = appended_;
  sync_wanted_ = std::max(sync_wanted_, end);
  work_.NotifyOne();
  bool asked_side = false;
  while (!IsDurable(end)) {
    if (!file_error_.ok()) {
      return file_error_;
    }
    if (!asked_side && Now() >= patient_until) {
      asked_side = true;
      if (is_patient) {
        lock.Unlock();
        {
          const MutexLock own(&policy_->mutex);
          policy_->policy.OnPatienceLost(Now());
        }
        lock.Lock();
      }
      BeginSide();
      continue;
    }
    if (asked_side) {
      changed_.Wait(&mutex_);
    } else {
      changed_.WaitUntil(&mutex_, Clock::time_point(Clock::duration(patient_until)));
    }
  }
  return Status::Ok();
}

void FailoverStream::BeginSide() {
  if (!side_queued_ && !too_much_ && side_error_.ok()) {
    side_queued_ = true;
    parts_.workers->Add([self = shared_from_this()] { self->RunSide(); });
  }
}

void FailoverStream::RunSide() {
  std::string bytes;
  Address end = 0;
  uint64_t group = 0;
  Status status;
  {
    const MutexLock order(&order_);
    {
      const MutexLock lock(&mutex_);
      side_queued_ = false;
      if (too_much_ || stop_) {
        return;
      }
      bytes.swap(pending_);
      end = appended_;
      on_side_ = end;
    }
    status = side_.Append(bytes, end);
    group = side_.group();
    if (!status.ok()) {
      FailSide(status);  // before anybody appends what comes behind the hole
    }
  }
  if (status.ok() && group > 0) {
    const Stopwatch watch(&parts_.figures->side_waits);
    status = parts_.log->Sync(group);
    if (!status.ok()) {
      FailSide(status);
    }
  }
  if (!status.ok()) {
    if (parts_.warn != nullptr) {
      parts_.warn("syncs wait for their files: " + status.message());
    }
    return;
  }
  Address in_file = 0;
  {
    const MutexLock lock(&mutex_);
    if (group > 0) {
      parts_.figures->side_syncs.fetch_add(1, std::memory_order_relaxed);  // Relaxed: a figure
      side_durable_ = std::max(side_durable_, end);
    }
    in_file = file_durable_;
    changed_.NotifyAll();
  }
  if (in_file >= end) {
    parts_.log->FileDurable(name_, in_file);  // the file was quicker, and freed no room of these
  }
}

void FailoverStream::FailSide(const Status& status) {
  const MutexLock lock(&mutex_);
  too_much_ = true;  // until the file has them
  pending_.clear();
  if (status.code() != Status::Code::kNoSpace) {
    side_error_ = status;
  }
  changed_.NotifyAll();
}

// --- for others ---

Status FailoverStream::Drain() {
  const MutexLock lock(&mutex_);
  const Address end = appended_;
  drain_wanted_ = std::max(drain_wanted_, end);
  work_.NotifyOne();
  while (applied_ < end && file_error_.ok()) {
    changed_.Wait(&mutex_);
  }
  return file_error_;
}

Status FailoverStream::Finish() {
  Status status = Drain();
  {
    MutexLock lock(&mutex_);
    if (on_side_ > file_durable_) {
      sync_wanted_ = std::max(sync_wanted_, appended_);
    }
    stop_ = true;
    work_.NotifyOne();
  }
  thread_.Join();
  const MutexLock lock(&mutex_);
  return file_error_;
}

}  // namespace lss
