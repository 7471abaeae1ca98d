#include "lss/log_structured_store.h"

#include <algorithm>
#include <utility>

#include "lss/ring/merged_read.h"

namespace lss {

// The store's two halves, for a reader in its own process.
class LogStructuredStore::Source final : public MergedSource {
 public:
  explicit Source(const LogStructuredStore& store) : store_(store) {}
  Address hi_stable() const override { return store_.hi_stable(); }
  Status ReadDevice(Address from, size_t length, char* destination, size_t* read) const override {
    return store_.device_->Read(from, length, destination, read);
  }
  size_t CopyOut(Address from, size_t length, Address limit, char* destination) const override {
    return store_.ring_.CopyOut(from, length, limit, destination);
  }
  bool CopiesAreWhole() const override { return true; }  // the ring holds off reuse meanwhile
  std::string name() const override { return store_.path(); }

 private:
  const LogStructuredStore& store_;
};

LogStructuredStore::LogStructuredStore(Parts parts, Address start)
    : options_(std::move(parts.options)),
      id_(parts.id),
      maintenance_(parts.runtime->maintenance()),
      ticker_(parts.runtime->ticker()),
      device_(std::move(parts.device)),
      grant_(std::move(parts.grant)),
      memory_(std::move(parts.memory)),
      figures_(options_.figures != nullptr ? options_.figures : std::make_shared<StreamFigures>()),
      ring_(*memory_, options_, start),
      space_(device_.get(), options_, figures_.get()),
      pipeline_(device_.get(), memory_->words(), &space_,
                parts.runtime->flusher(options_.use_io_uring), options_, figures_.get()),
      tail_(device_.get(), memory_.get(), &ring_, &pipeline_, &space_, options_, figures_.get()) {}

LogStructuredStore::~LogStructuredStore() = default;

void LogStructuredStore::Start() {
  // Written by somebody, synced by nobody we know of.
  if (size() > 0) {
    pipeline_.OnTailWritten(0, size(), WriteKind::kPlain);
  }
  pipeline_.SetOwner(weak_from_this());
  pipeline_.SetWriteGate([this] { Consider(HeatEvent::kBufferFull); });
  pipeline_.WatchMemory(memory_.get());
}

Status LogStructuredStore::MakeSpace(Address end) {
  Status status = space_.EnsureAllocated(end);
  if (!status.ok()) {
    pipeline_.LeaveRoomToTell(status);
  }
  return status;
}

Status LogStructuredStore::CheckRing() {
  if (memory_->failed()) {
    pipeline_.Fail(memory_->Failure());
    return pipeline_.error();
  }
  return Status::Ok();
}

Status LogStructuredStore::Sync() {
  if (Status status = Flush(); !status.ok()) {
    return status;
  }
  if (closed()) {
    return Status::Closed("sync of " + path() + " after close");
  }
  Status status = tail_.Sync();
  if (status.ok()) {
    AfterSync();
  }
  return status;
}

void LogStructuredStore::AfterSync() {
  const Address end = durable();
  const Address before = last_sync_end_.exchange(end, std::memory_order_relaxed);
  const SyncFacts sync = {tail_.hot(), retired(), end - std::min(end, before),
                          options_.frontier_bytes};
  if (WorthAFrontier(sync)) {
    RequestFrontier(end);
  } else if (!sync.hot) {
    Consider(HeatEvent::kSynced);
  }
}

void LogStructuredStore::RequestFrontier(Address end) {
  if (!space_.FrontierDue(end)) {
    return;
  }
  const bool taken = maintenance_->EnqueueHint(
      [self = shared_from_this()] { self->space_.ZeroAhead([&] { return self->AppendedEnd(); }); });
  if (!taken) {
    space_.FrontierNotTaken();
  }
}

void LogStructuredStore::TakeOver(const Pace& predecessor) {
  predecessor_ = predecessor;
  space_.Follow(predecessor);
  pipeline_.Follow(predecessor.cache);
  if (HotFromTheStart(predecessor, stays_cold_)) {
    RequestHot();
  }
}

void LogStructuredStore::Consider(HeatEvent event) {
  const HeatFacts facts = {tail_.sync_count(),
                           AppendedEnd() == 0,
                           retired(),
                           pipeline_.through_cache(),
                           pipeline_.SyncsInSmallSteps(size()),
                           stays_cold_};
  if (TurnsHot(event, facts)) {
    RequestHot();
  } else if (event == HeatEvent::kBufferFull && !pipeline_.KeepGate()) {
    Enqueue([self = shared_from_this()] { self->tail_.WriteThroughCache(); });
  }
}

void LogStructuredStore::RequestHot() {
  if (!hot_requested_.exchange(true, std::memory_order_relaxed)) {
    Enqueue([self = shared_from_this()] { self->TurnHot(); });
  }
}

void LogStructuredStore::MayStayCold() {
  stays_cold_ = !device_->overwrites_in_place();
  if (options_.write_mode != WriteMode::kSerializedWrites) {
    return;
  }
  pipeline_.SetRelief([this](FlushPipeline::Relief relief) {
    if (tail_.Relieve(relief)) {
      Enqueue([self = shared_from_this()] { self->tail_.SyncCut(); });
    }
  });
}

void LogStructuredStore::Enqueue(std::function<void()> job) {
  maintenance_->Enqueue(options_.ring_directory, std::move(job));
}

void LogStructuredStore::TurnHot() {
  hot_requested_.store(false, std::memory_order_relaxed);  // a reason from here on asks again
  if (!tail_.MakeHot()) {
    return;
  }
  if (FrontierFromTheStart(predecessor_)) {
    RequestFrontier(durable());
  }
  PrefaultFrom(0);
}

// One buffer per job: what others ask of the maintenance thread comes in between.
void LogStructuredStore::PrefaultFrom(uint32_t ahead) {
  if (ahead == ring_.buffer_count() || closed()) {
    return;
  }
  maintenance_->EnqueueHint([self = shared_from_this(), ahead] {
    self->ring_.PrefaultFirstLap(ahead);
    self->PrefaultFrom(ahead + 1);
  });
}

void LogStructuredStore::StopPreparing() {
  retired_.store(true, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_seq_cst);  // P8
  space_.Retire(AppendedEnd());
}

Pace LogStructuredStore::pace() const {
  return {size(), tail_.hot(), space_.largest_chunk_bytes(), pipeline_.cache_record(size())};
}

Status LogStructuredStore::Read(Address address, size_t length, char* destination,
                                size_t* read) const {
  const Address in_file = hi_stable();
  const Status status = ReadMerged(Source(*this), address, length, size(), destination, read);
  // Whatever came from the ring may be zeros in place of what it has lost.
  const bool doubtful = address + *read > in_file && memory_->AnyLost();
  return status.ok() && doubtful ? memory_->Failure() : status;
}

void LogStructuredStore::StartTicking() {
  if (!ticking_.exchange(true, std::memory_order_relaxed) &&  // Relaxed: decides who asks
      !ticker_->Watch(weak_from_this(), TailAge::LookEveryMs(options_.idle_flush_ms))) {
    ticking_.store(false, std::memory_order_relaxed);  // Relaxed: the next growth asks again
  }
}

bool LogStructuredStore::Tick() {
  if (closed()) {
    return false;
  }
  tail_.Tick();
  if (hi_stable() < size() && !pipeline_.failed()) {
    return true;
  }
  // P19: either we see a growth that comes now, or it sees that nobody ticks.
  ticking_.store(false, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_seq_cst);  // P19
  return hi_stable() < size() && !ticking_.exchange(true, std::memory_order_relaxed);
}

Status LogStructuredStore::Settle() {
  if (Status status = Flush(); !status.ok()) {
    return status;
  }
  return closed() ? Status::Ok() : tail_.Settle();
}

Status LogStructuredStore::WriteOut() {
  if (Status status = Flush(); !status.ok()) {
    return status;
  }
  return closed() ? Status::Ok() : tail_.WriteOut();
}

Status LogStructuredStore::Close() {
  // Before the mutex: the fork may have copied it locked.
  if (fork_guard_.InForkedChild()) {
    return Status::Closed("close of " + path() +
                          " in a forked child of the process that opened it");
  }
  const MutexLock lock(&close_mutex_);
  if (close_done_) {
    return close_status_;
  }
  close_done_ = true;
  Status status = Flush();
  closed_.store(true, std::memory_order_release);  // P17
  if (status.ok()) {
    status = tail_.Finish();
  }
  close_status_ = status;
  if (!status.ok()) {
    return status;
  }
  memory_->AwaitThaw();
  // From here a killed process leaves nothing to replay (C14; before it: C13).
  memory_->header()->state.store(static_cast<uint32_t>(RingState::kClosed),
                                 std::memory_order_release);  // P11
  if (!tail_.leaves_zeros()) {
    memory_->Remove();
  } else {
    Enqueue([self = shared_from_this()] { self->FinishClose(); });
  }
  return status;
}

void LogStructuredStore::NoteDeletion(bool coming) {
  if (fork_guard_.InForkedChild()) {
    return;
  }
  const MutexLock lock(&close_mutex_);
  if (!close_done_) {
    memory_->AwaitThaw();
    memory_->header()->state.store(
        static_cast<uint32_t>(coming ? RingState::kClosed : RingState::kLive),
        std::memory_order_release);  // P11
  }
}

// Zeros that lay behind the tail are gone from the file, but perhaps not yet from the device. The
// ring stays until they are, so that recovery after a power cut knows to look (C14; removed last:
// C15).
void LogStructuredStore::FinishClose() {
  const bool exact_on_device = options_.exact_size_when_synced && durable() == size();
  if (tail_.leaves_zeros() && !exact_on_device && !device_->Unreachable()) {
    if (Status status = tail_.SyncFinished(); !status.ok()) {
      if (options_.warn) {
        options_.warn(status.ToString() + "; its ring " + ring_path() + " stays for recovery");
      }
      return;
    }
  }
  memory_->Remove();
}

}  // namespace lss
