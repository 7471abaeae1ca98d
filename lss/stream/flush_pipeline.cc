#include "lss/stream/flush_pipeline.h"

#include <algorithm>

#include "lss/base/clock.h"

namespace lss {

FlushPipeline::FlushPipeline(Device* device, OwnerWords* words, Space* space, Flusher* flusher,
                             const RingOptions& ring, StreamFigures* figures)
    : device_(device),
      space_(space),
      flusher_(flusher),
      behavior_(FlushBehavior::Make(ring.write_mode)),
      cold_behavior_(FlushBehavior::Make(WriteMode::kSerializedWrites)),
      ring_bytes_(static_cast<uint64_t>(ring.buffer_bytes) * ring.buffer_count),
      figures_(figures),
      cache_({}, 0),
      batch_limit_(ring.buffer_bytes),
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
  if (open) {
    RequestFlush();
  }
}

void FlushPipeline::RequestFlush() {
  const std::shared_ptr<void> owner = owner_.lock();
  if (flusher_ != nullptr && owner != nullptr) {
    flusher_->Request(std::shared_ptr<FlushClient>(owner, this));
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
  if (wanted) {
    RequestFlush();
  }
}

bool FlushPipeline::KeepGate() {
  const MutexLock lock(&mutex_);
  if (gate_ == Gate::kShut) {
    return false;
  }
  gate_asked_ = false;
  return true;
}

void FlushPipeline::Refuse(const Status& why) {
  const MutexLock lock(&mutex_);
  gate_asked_ = false;
  SetBackLocked(why);
}

void FlushPipeline::SetBackLocked(const Status& why) {
  LeaveRoomToTell(why);
  figures_->passing_errors.Add();
  setback_ = why;
  ++setbacks_;
  changed_.NotifyAll();
}

void FlushPipeline::Follow(const CacheRecord& predecessor) {
  const MutexLock lock(&mutex_);
  if (relief_ != nullptr) {
    cache_ = CachePolicy(predecessor, SteadyNowNs());
  }
}

bool FlushPipeline::writes_allowed() const {
  const MutexLock lock(&mutex_);
  return gate_ != Gate::kShut;
}

FlushPipeline::Relief FlushPipeline::ReliefLocked() const {
  if (relief_ == nullptr) {
    return Relief::kNone;
  }
  if (gate_ == Gate::kShut) {
    return Relief::kCold;
  }
  const Address end = sealed_.empty() ? hi_stable() : sealed_.back().end();
  const CachePolicy::Facts facts = {SteadyNowNs(), hi_stable(), end - durable(), ring_bytes_};
  return gate_ == Gate::kHot && cache_.Outruns(facts) ? Relief::kOutruns : Relief::kNone;
}

Status FlushPipeline::AwaitWrites(Address address) {
  const Stopwatch watch(&figures_->wait(WaitFor::kRing));
  MutexLock lock(&mutex_);
  const uint64_t setbacks_before = setbacks_;
  resting_ = false;
  ++pressure_;
  cache_.OnWaitBegins(SteadyNowNs(), hi_stable());
  while (!failed() && setbacks_ == setbacks_before) {
    const Relief relief = ReliefLocked();
    // A burst goes to the cache even when its wait is over: the next one would be as long.
    if (hi_stable() >= address && relief != Relief::kOutruns) {
      break;
    }
    const bool wanted = WantsFlushLocked() && in_flight_ == 0 && !exclusive_;
    lock.Unlock();
    Kick(wanted);
    if (relief != Relief::kNone) {
      relief_(relief);
    }
    lock.Lock();
    if (relief == Relief::kNone && hi_stable() < address && !failed() &&
        setbacks_ == setbacks_before) {
      changed_.Wait(&mutex_);
    }
  }
  cache_.OnWaitEnds(SteadyNowNs());
  --pressure_;
  if (hi_stable() >= address) {
    return Status::Ok();
  }
  return failed() ? error_ : setback_;
}

// Drops what a sync or a relief has written meanwhile: it needs no write of its own.
void FlushPipeline::DropWrittenLocked() {
  while (!sealed_.empty() && sealed_.front().sequence == next_sequence_ &&
         sealed_.front().end() <= hi_stable()) {
    sealed_.pop_front();
    ++next_sequence_;
    completions_.fetch_add(1, std::memory_order_relaxed);
  }
}

void FlushPipeline::SelectLocked(std::vector<WriteOp>* ops) {
  const std::deque<SealedBuffer> before = sealed_;
  const bool hot = gate_ == Gate::kHot;
  const FlushBehavior& behavior = hot ? *behavior_ : *cold_behavior_;
  behavior.Select(&sealed_, &next_sequence_, in_flight_, hi_stable(),
                  hot ? batch_limit_.bytes() : UINT64_MAX, ops);
  in_flight_ += ops->size();
  const auto taken = static_cast<std::ptrdiff_t>(before.size() - sealed_.size());
  taken_.insert(taken_.end(), before.begin(), before.begin() + taken);
}

Address FlushPipeline::BeginBatchLocked(const std::vector<WriteOp>& ops) {
  Address end = 0;
  batch_began_ns_ = SteadyNowNs();
  batch_bytes_ = 0;
  for (const WriteOp& op : ops) {
    end = std::max(end, op.end());
    batch_bytes_ += op.length;
  }
  return end;
}

void FlushPipeline::NextWrites(std::vector<WriteOp>* ops) {
  bool hot = false;
  Address end = 0;
  {
    const MutexLock lock(&mutex_);
    if (gate_ == Gate::kShut || exclusive_ || exclusive_waiters_ > 0 || !WantsFlushLocked()) {
      return;
    }
    if (pressure_ > 0 && ReliefLocked() != Relief::kNone) {
      changed_.NotifyAll();
      return;  // the appender takes it through the page cache
    }
    hot = gate_ == Gate::kHot;
    SelectLocked(ops);
    if (ops->empty() || !hot) {
      return;
    }
    end = BeginBatchLocked(*ops);
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
  AwaitThaw();
  const MutexLock lock(&mutex_);
  --in_flight_;
  if (in_flight_ == 0 && gate_ == Gate::kHot && behavior_->InOrder()) {
    batch_limit_.OnBatch(batch_bytes_, SteadyNowNs() - batch_began_ns_);
  }
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
    CountWrittenLocked(op);
    stability_.Complete(op.offset, op.end());
    figures_->in_file.Set(hi_stable());
    ++plain_writes_;
  }
  TakeBackLocked();
  changed_.NotifyAll();
}

// Of a buffer whose beginning a sync has written, that is written again.
void FlushPipeline::CountWrittenLocked(const WriteOp& op) {
  const Address before = std::clamp<Address>(hi_stable(), op.offset, op.end());
  figures_->written(WrittenAs::kAgain).Add(before - op.offset);
  figures_->written(WrittenAs::kData).Add(op.end() - before);
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

void FlushPipeline::Fail(const Status& error) {
  const MutexLock lock(&mutex_);
  FailLocked(error);
}

void FlushPipeline::FailLocked(const Status& error) {
  if (!failed_.load(std::memory_order_relaxed)) {  // relaxed: set under this lock only
    error_ = error;
    figures_->final_errors.Add();
    failed_.store(true, std::memory_order_release);  // P6
    LeaveRoomToTell(error);
  }
  // First the error, then the wake-up: waiters look again.
  changed_.NotifyAll();
}

void FlushPipeline::LeaveRoomToTell(const Status& error) const {
  if (error.code() == Status::Code::kNoSpace && memory_ != nullptr) {
    memory_->GiveReserveBack();
  }
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
