#include "lss/stream/flush_pipeline.h"

#include <algorithm>

namespace lss {

FlushPipeline::FlushPipeline(Device* device, OwnerWords* words, Space* space, Flusher* flusher,
                             WriteMode mode, uint64_t ring_bytes)
    : device_(device),
      space_(space),
      flusher_(flusher),
      behavior_(FlushBehavior::Make(mode)),
      cold_behavior_(FlushBehavior::Make(WriteMode::kSerializedWrites)),
      ring_bytes_(ring_bytes),
      stability_(words) {}

// A stream that syncs often is better served by one durable write in the sync than by a plain write
// now and a full sync later; so its sealed buffers wait until half of the ring is used.
bool FlushPipeline::WantsFlushLocked() const {
  if (sealed_.empty() || failed() || resting_ || taking_back_) {
    return false;
  }
  const bool syncs_often =
      last_sync_end_ > 0 && sealed_.back().end() < last_sync_end_ + ring_bytes_ / 2;
  return !syncs_often || pressure_ > 0;
}

void FlushPipeline::Kick(bool wanted) {
  if (!wanted) {
    return;
  }
  bool ask_gate = false;
  bool open = false;
  {
    const MutexLock lock(&mutex_);
    open = gate_ != Gate::kShut;
    ask_gate = gate_ != Gate::kHot && !gate_asked_ && on_first_write_ != nullptr;
    gate_asked_ = gate_asked_ || ask_gate;
  }
  if (ask_gate) {
    on_first_write_();
  }
  if (open && flusher_ != nullptr) {
    if (const std::shared_ptr<void> owner = owner_.lock()) {
      flusher_->Request(std::shared_ptr<FlushClient>(owner, this));
    }
  }
}

void FlushPipeline::OnSealed(const SealedBuffer& buffer) {
  bool wanted = false;
  {
    const MutexLock lock(&mutex_);
    const auto place = std::upper_bound(
        sealed_.begin(), sealed_.end(), buffer.sequence,
        [](uint64_t sequence, const SealedBuffer& other) { return sequence < other.sequence; });
    sealed_.insert(place, buffer);
    DropWrittenLocked();
    wanted = WantsFlushLocked() && !exclusive_;
  }
  Kick(wanted);
}

void FlushPipeline::AllowWrites(Gate gate) {
  bool wanted = false;
  {
    const MutexLock lock(&mutex_);
    gate_ = gate;
    gate_asked_ = false;
    // Who asked has been answered; a cold store asks again with its next buffer, not now.
    wanted = WantsFlushLocked();
  }
  if (wanted && flusher_ != nullptr) {
    if (const std::shared_ptr<void> owner = owner_.lock()) {
      flusher_->Request(std::shared_ptr<FlushClient>(owner, this));
    }
  }
}

void FlushPipeline::Refuse(const Status& why) {
  const MutexLock lock(&mutex_);
  gate_asked_ = false;
  SetBackLocked(why);
}

void FlushPipeline::SetBackLocked(const Status& why) {
  setback_ = why;
  ++setbacks_;
  changed_.NotifyAll();
}

Status FlushPipeline::AwaitStable(Address address) {
  if (hi_stable() >= address) {
    return Status::Ok();
  }
  MutexLock lock(&mutex_);
  const uint64_t setbacks_before = setbacks_;
  resting_ = false;
  ++pressure_;
  while (hi_stable() < address && !failed() && setbacks_ == setbacks_before) {
    const bool wanted = WantsFlushLocked() && in_flight_ == 0 && !exclusive_;
    lock.Unlock();
    Kick(wanted);
    lock.Lock();
    if (hi_stable() < address && !failed() && setbacks_ == setbacks_before) {
      changed_.Wait(&mutex_);
    }
  }
  --pressure_;
  if (hi_stable() >= address) {
    return Status::Ok();
  }
  return failed() ? error_ : setback_;
}

// Drops what a sync has written meanwhile: it needs no write of its own.
void FlushPipeline::DropWrittenLocked() {
  while (!sealed_.empty() && sealed_.front().sequence == next_sequence_ &&
         sealed_.front().end() <= hi_stable()) {
    sealed_.pop_front();
    ++next_sequence_;
  }
}

void FlushPipeline::NextWrites(std::vector<WriteOp>* ops) {
  bool hot = false;
  {
    const MutexLock lock(&mutex_);
    if (gate_ == Gate::kShut || exclusive_ || exclusive_waiters_ > 0 || !WantsFlushLocked()) {
      return;
    }
    const std::deque<SealedBuffer> before = sealed_;
    hot = gate_ == Gate::kHot;
    const FlushBehavior& behavior = hot ? *behavior_ : *cold_behavior_;
    behavior.Select(&sealed_, &next_sequence_, in_flight_, hi_stable(), ops);
    in_flight_ += ops->size();
    const auto taken = static_cast<std::ptrdiff_t>(before.size() - sealed_.size());
    taken_.insert(taken_.end(), before.begin(), before.begin() + taken);
  }
  if (ops->empty() || !hot) {
    return;
  }
  Address end = 0;
  for (const WriteOp& op : *ops) {
    end = std::max(end, op.end());
  }
  // Inside the file's size and clear of blocks that are being zeroed, before the kernel gets it.
  space_->PrepareForWrite(end);
  Status status;
  for (auto op = ops->begin(); op != ops->end() && status.ok(); ++op) {
    status = CheckKept(*op);
  }
  if (!status.ok()) {
    for (const WriteOp& op : *ops) {
      OnWriteDone(op, status);
    }
    ops->clear();
  }
}

bool FlushPipeline::InOrder() const {
  const MutexLock lock(&mutex_);
  return gate_ != Gate::kHot || behavior_->InOrder();
}

Status FlushPipeline::CheckKept(const WriteOp& op) const {
  return memory_ != nullptr && memory_->Lost(op.data, op.length) ? memory_->Failure()
                                                                 : Status::Ok();
}

void FlushPipeline::OnWriteDone(const WriteOp& op, const Status& written) {
  const Status kept = CheckKept(op);
  const Status& status = kept.ok() ? written : kept;
  if (status.ok() && !InOrder()) {
    // Bulk, to be synced at its end. Through the page cache the device would idle until then.
    device_->StartWriteback(op.offset, op.length);
  }
  const MutexLock lock(&mutex_);
  --in_flight_;
  completions_.fetch_add(1, std::memory_order_relaxed);
  if (!status.ok()) {
    taking_back_ = true;
    if (kept.ok() && status.IsPassing()) {
      SetBackLocked(status);
    } else {
      FailLocked(status);
    }
  } else if (!failed()) {
    // After a failure the watermark stands still: what was acknowledged must not grow.
    stability_.Complete(op.offset, op.end());
    plain_writes_unsynced_ = true;
  }
  TakeBackLocked();
  changed_.NotifyAll();
}

// What was handed out and is not in the file waits again, as if it had never gone.
void FlushPipeline::TakeBackLocked() {
  while (!taken_.empty() && taken_.front().end() <= hi_stable()) {
    taken_.pop_front();
  }
  if (!taking_back_ || in_flight_ > 0) {
    return;
  }
  taking_back_ = false;
  resting_ = true;
  if (!taken_.empty()) {
    next_sequence_ = std::min(next_sequence_, taken_.front().sequence);
    sealed_.insert(sealed_.end(), taken_.begin(), taken_.end());
    std::sort(sealed_.begin(), sealed_.end(),
              [](const SealedBuffer& a, const SealedBuffer& b) { return a.sequence < b.sequence; });
    taken_.clear();
  }
}

FlushPipeline::Exclusive::Exclusive(FlushPipeline* pipeline) : pipeline_(pipeline) {
  const MutexLock lock(&pipeline->mutex_);
  ++pipeline->exclusive_waiters_;
  while (pipeline->BusyLocked()) {
    pipeline->changed_.Wait(&pipeline->mutex_);
  }
  --pipeline->exclusive_waiters_;
  pipeline->exclusive_ = true;
}

FlushPipeline::Exclusive FlushPipeline::Exclusive::Try(FlushPipeline* pipeline) {
  const MutexLock lock(&pipeline->mutex_);
  if (pipeline->BusyLocked() || pipeline->exclusive_waiters_ > 0) {
    return {nullptr, Adopt{}};
  }
  pipeline->exclusive_ = true;
  return {pipeline, Adopt{}};
}

FlushPipeline::Exclusive::~Exclusive() {
  if (pipeline_ != nullptr) {
    pipeline_->ReleaseExclusive();
  }
}

void FlushPipeline::ReleaseExclusive() {
  bool wanted = false;
  {
    const MutexLock lock(&mutex_);
    exclusive_ = false;
    DropWrittenLocked();
    wanted = WantsFlushLocked() && exclusive_waiters_ == 0;
  }
  changed_.NotifyAll();
  Kick(wanted);
}

Status FlushPipeline::SyncTo(Address target, const std::function<Status()>& sync_once) {
  bool wanted = false;
  Status result;
  {
    MutexLock lock(&mutex_);
    ++exclusive_waiters_;
    while (durable() < target && !failed() && result.ok()) {
      if (BusyLocked()) {
        changed_.Wait(&mutex_);
        continue;
      }
      exclusive_ = true;
      lock.Unlock();
      const Status status = sync_once();
      lock.Lock();
      exclusive_ = false;
      if (!status.ok() && !status.IsPassing()) {
        FailLocked(status);
      }
      result = status;
      last_sync_end_ = std::max(last_sync_end_, hi_stable());
      DropWrittenLocked();
      changed_.NotifyAll();
    }
    --exclusive_waiters_;
    wanted = WantsFlushLocked() && exclusive_waiters_ == 0;
    if (failed()) {
      result = error_;
    }
  }
  Kick(wanted);
  return result;
}

void FlushPipeline::OnTailWritten(Address begin, Address end, WriteKind kind) {
  const MutexLock lock(&mutex_);
  stability_.Complete(begin, end);
  resting_ = false;
  plain_writes_unsynced_ = plain_writes_unsynced_ || kind == WriteKind::kPlain;
}

void FlushPipeline::OnFullSync() {
  const MutexLock lock(&mutex_);
  plain_writes_unsynced_ = false;
}

bool FlushPipeline::plain_writes_unsynced() const {
  const MutexLock lock(&mutex_);
  return plain_writes_unsynced_;
}

void FlushPipeline::MakeDurable(Address address) {
  const MutexLock lock(&mutex_);
  stability_.MakeDurable(address);
}

void FlushPipeline::Fail(const Status& error) {
  const MutexLock lock(&mutex_);
  FailLocked(error);
}

void FlushPipeline::FailLocked(const Status& error) {
  if (!failed_.load(std::memory_order_relaxed)) {  // relaxed: set under this lock only
    error_ = error;
    failed_.store(true, std::memory_order_release);  // P6
  }
  // First the error, then the wake-up: waiters look again.
  changed_.NotifyAll();
}

Status FlushPipeline::error() const {
  const MutexLock lock(&mutex_);
  return error_;
}

Address FlushPipeline::WrittenEnd() const {
  const MutexLock lock(&mutex_);
  Address end = hi_stable();
  for (const auto& [begin, island_end] : stability_.completed_islands()) {
    end = std::max(end, island_end);
  }
  return end;
}

size_t FlushPipeline::island_count() const {
  const MutexLock lock(&mutex_);
  return stability_.completed_islands().size();
}

}  // namespace lss
