// What is not the flusher's: exclusive access, syncs, and what their holders tell.
#include <algorithm>

#include "lss/base/clock.h"
#include "lss/stream/flush_pipeline.h"

namespace lss {

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

Status FlushPipeline::SyncTo(Address target, const std::function<SyncStep()>& write) {
  const int64_t began_ns = SteadyNowNs();
  int64_t waited_ns = 0;
  bool wanted = false;
  bool led = false;
  Status result;
  {
    const MutexLock lock(&mutex_);
    if (figures_->syncs_under_way.value() == 0) {
      figures_->sync_waits_since_ns.Set(static_cast<uint64_t>(began_ns));
    }
    figures_->syncs_under_way.AddAlone();
    while (durable() < target && !failed() && result.ok()) {
      if (syncing_ || BusyLocked()) {
        AwaitTurnLocked(&waited_ns);
        continue;
      }
      led = true;
      result = RunSyncLocked(write);
    }
    CountSyncLocked(began_ns, waited_ns, led);
    wanted = WantsFlushLocked() && exclusive_waiters_ == 0;
    if (failed()) {
      result = error_;
    }
  }
  Kick(wanted);
  return result;
}

void FlushPipeline::AwaitTurnLocked(int64_t* waited_ns) {
  const int64_t began_ns = SteadyNowNs();
  if (syncing_) {
    changed_.Wait(&mutex_);
  } else {
    ++exclusive_waiters_;
    changed_.Wait(&mutex_);
    --exclusive_waiters_;
  }
  *waited_ns += SteadyNowNs() - began_ns;
}

Status FlushPipeline::RunSyncLocked(const std::function<SyncStep()>& write) {
  exclusive_ = true;
  syncing_ = true;
  mutex_.Unlock();
  SyncStep step = write();
  AwaitThaw();
  mutex_.Lock();
  // From there on exclusive access may be somebody else's.
  exclusive_ = step.alone;
  if (step.status.ok() && step.sync_device) {
    // Who may write meanwhile is a stream whose file grows with what it holds.
    const Stopwatch watch(&figures_->wait(step.alone ? WaitFor::kDevice : WaitFor::kJournal));
    step.status = SyncDeviceLocked();
  }
  if (step.alone) {
    exclusive_ = false;
  }
  EndSyncLocked(step.status, step.end);
  return step.status;
}

void FlushPipeline::CountSyncLocked(int64_t began_ns, int64_t waited_ns, bool led) {
  const int64_t now_ns = SteadyNowNs();
  figures_->syncs.Add();
  figures_->sync_time.Add(static_cast<uint64_t>(now_ns - began_ns));
  if (waited_ns > 0) {
    figures_->wait(WaitFor::kInFlight).Add(static_cast<uint64_t>(waited_ns));
  }
  if (!led) {
    figures_->coalesced_syncs.Add();
  }
  figures_->syncs_under_way.Set(figures_->syncs_under_way.value() - 1);
  figures_->sync_waits_since_ns.Set(static_cast<uint64_t>(now_ns));
}

Status FlushPipeline::SyncWritten() {
  const MutexLock lock(&mutex_);
  while (syncing_) {
    changed_.Wait(&mutex_);
  }
  if (failed()) {
    return error_;
  }
  syncing_ = true;
  Status status = SyncDeviceLocked();
  syncing_ = false;
  changed_.NotifyAll();
  return status;
}

Status FlushPipeline::SyncDeviceLocked() {
  const uint64_t found = plain_writes_;
  DropWrittenLocked();
  const bool wanted = WantsFlushLocked() && !exclusive_ && exclusive_waiters_ == 0;
  changed_.NotifyAll();
  mutex_.Unlock();
  Kick(wanted);
  Status status = device_->Sync();
  AwaitThaw();
  mutex_.Lock();
  if (status.ok()) {
    plain_writes_synced_ = found;
  } else {
    unsynced_in_doubt_ = true;
  }
  return status;
}

void FlushPipeline::EndSyncLocked(const Status& status, Address end) {
  syncing_ = false;
  if (status.ok()) {
    stability_.MakeDurable(end);
    figures_->durable.Set(durable());
    last_sync_end_ = std::max(last_sync_end_, end);
    cache_.OnSynced();
  } else if (status.IsPassing()) {
    figures_->passing_errors.Add();
    LeaveRoomToTell(status);
  } else {
    FailLocked(status);
  }
  DropWrittenLocked();
  changed_.NotifyAll();
}

void FlushPipeline::AwaitThaw() const {
  if (memory_ != nullptr) {
    memory_->AwaitThaw();
  }
}

void FlushPipeline::OnTailWritten(Address begin, Address end, WriteKind kind) {
  AwaitThaw();
  const MutexLock lock(&mutex_);
  stability_.Complete(begin, end);
  figures_->in_file.Set(hi_stable());
  resting_ = false;
  plain_writes_ += kind == WriteKind::kPlain ? 1 : 0;
}

bool FlushPipeline::TakeDoubt() {
  const MutexLock lock(&mutex_);
  const bool doubt = unsynced_in_doubt_ && durable() < hi_stable();
  unsynced_in_doubt_ = false;
  return doubt;
}

void FlushPipeline::PutDoubtBack() {
  const MutexLock lock(&mutex_);
  unsynced_in_doubt_ = true;
}

Address FlushPipeline::SealedEnd() const {
  const MutexLock lock(&mutex_);
  return sealed_.empty() ? hi_stable() : std::max(hi_stable(), sealed_.back().end());
}

void FlushPipeline::OnThroughCache() {
  const MutexLock lock(&mutex_);
  gate_ = Gate::kCold;
  cache_.OnThroughCache(SteadyNowNs(), hi_stable());
}

void FlushPipeline::OnPastCache() {
  const MutexLock lock(&mutex_);
  cache_.OnPastCache();
}

bool FlushPipeline::through_cache() const {
  const MutexLock lock(&mutex_);
  return cache_.through_cache();
}

bool FlushPipeline::SyncsInSmallSteps(Address accepted) const {
  const MutexLock lock(&mutex_);
  return cache_.SyncsInSmallSteps(SteadyNowNs(), accepted, ring_bytes_);
}

CacheRecord FlushPipeline::cache_record(Address accepted) const {
  const MutexLock lock(&mutex_);
  return cache_.Record(SteadyNowNs(), accepted);
}

bool FlushPipeline::plain_writes_unsynced() const {
  const MutexLock lock(&mutex_);
  return plain_writes_ != plain_writes_synced_;
}

}  // namespace lss
