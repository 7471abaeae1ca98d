#include "plugin/second/second_place.h"

#include <unistd.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "plugin/second/second_marker.h"
#include "plugin/warning.h"

namespace bloom_lfs {
namespace {

using lss::Status;

constexpr uint64_t kPreparedBytes = 64ULL << 20;  // ahead of the tail
constexpr auto kLookEvery = std::chrono::seconds(1);
constexpr uint64_t kWorkers = 4;  // streams that combine their syncs
constexpr uint64_t kWorkersRemote = lss::SideLog::kMaxInFlight;
constexpr uint64_t kCatchUpWorkers = 2;

}  // namespace

Status SecondPlace::StartThreads() {
  // Who tells the log what is durable syncs a file: the place may hang meanwhile.
  log_->WhenRoomIsDue([this] {
    room_is_due_.store(true, std::memory_order_relaxed);  // Relaxed: a look later is as good
    changed_.NotifyAll();
  });
  Status status = lss::SideWorkers::Start(is_remote() ? kWorkersRemote : kWorkers, &workers_);
  if (status.ok()) {
    status = lss::SideWorkers::Start(kCatchUpWorkers, &catch_up_workers_);
  }
  if (status.ok()) {
    status = lss::Thread::Start(
        "bloom_second", [this] { Maintain(); }, &maintenance_);
  }
  if (status.ok()) {
    registered_ = std::make_unique<RegisteredFigures>(this);
  }
  return status;
}

SecondPlace::~SecondPlace() {
  registered_.reset();
  if (fork_guard_.InForkedChild()) {
    maintenance_.Forget();
    (void)workers_.release();  // their threads are the parent's
    (void)catch_up_workers_.release();
    (void)log_.release();  // as the parent left it
    return;
  }
  {
    const lss::MutexLock lock(&mutex_);
    stop_ = true;
    changed_.NotifyAll();
  }
  if (maintenance_.joinable()) {
    maintenance_.Join();
  }
  workers_.reset();
  catch_up_workers_.reset();
  if (log_ != nullptr) {
    RemoveLabels();
    log_->NoteHead();
  }
}

lss::SecondParts SecondPlace::Parts() {
  return {log_.get(), workers_.get(), &figures_, [this] { return MakeRoom(); }, WarnOnce};
}

Status SecondPlace::BeginFailover(const lss::StreamName& name, bool hedge,
                                  std::shared_ptr<lss::SharedFailoverPolicy> policy,
                                  const std::string& queue_directory,
                                  std::shared_ptr<lss::HandOffFile> file,
                                  std::shared_ptr<lss::FailoverStream>* result) {
  std::unique_ptr<lss::HandOffQueue> queue;
  Status status = lss::HandOffQueue::Create(queue_directory, name, &queue);
  if (status.ok()) {
    status = lss::FailoverStream::Start(name, hedge, Parts(), std::move(policy), std::move(queue),
                                        std::move(file), result);
  }
  if (status.ok()) {
    const lss::MutexLock lock(&mutex_);
    failovers_[name] = *result;
    changed_.NotifyAll();
  }
  return status;
}

Status SecondPlace::Drain(const lss::StreamName& name) {
  std::shared_ptr<lss::FailoverStream> stream;
  {
    const lss::MutexLock lock(&mutex_);
    const auto found = failovers_.find(name);
    stream = found == failovers_.end() ? nullptr : found->second.lock();
  }
  return stream == nullptr ? Status::Ok() : stream->Drain();
}

std::shared_ptr<lss::DoubledStream> SecondPlace::Begin(const lss::StreamName& name,
                                                       lss::SecondMode mode,
                                                       int64_t degrade_after_ms,
                                                       std::function<Status()> sync_file) {
  auto stream = std::make_shared<lss::DoubledStream>(name, mode, degrade_after_ms, Parts(),
                                                     std::move(sync_file));
  const lss::MutexLock lock(&mutex_);
  streams_[name] = stream;
  changed_.NotifyAll();
  return stream;
}

void SecondPlace::End(const lss::StreamName& name) {
  const lss::MutexLock lock(&mutex_);
  streams_.erase(name);
  failovers_.erase(name);
}

void SecondPlace::Retire(const lss::StreamName& name) {
  const lss::MutexLock lock(&mutex_);
  retired_.push_back(name);
}

void SecondPlace::Unlabel(const lss::Uuid& database) {
  const lss::MutexLock lock(&mutex_);
  unlabelled_.push_back(database);
  changed_.NotifyAll();
}

void SecondPlace::RemoveLabels() {
  std::vector<lss::Uuid> databases;
  {
    const lss::MutexLock lock(&mutex_);
    databases.swap(unlabelled_);
  }
  for (const lss::Uuid& database : databases) {
    if (is_remote()) {
      log_->CheckOwner();
    }
    if (!log_->has_failed()) {  // or it may be somebody else's by now
      (void)log_->labels()->Remove(database);
    }
  }
}

std::vector<lss::StreamName> SecondPlace::FoundOf(const std::string& database) const {
  const std::map<lss::Uuid, std::string> labels = log_->space().labels()->All();
  std::vector<lss::StreamName> names;
  for (const lss::StreamName& name : found_) {
    const auto label = labels.find(name.database);
    if (label != labels.end() && label->second == lss::SideLabels::Kept(database)) {
      names.push_back(name);
    }
  }
  return names;
}

bool SecondPlace::MakeRoom() {
  lss::StreamName oldest;
  {
    lss::MutexLock lock(&mutex_);
    if (retired_.empty()) {
      lock.Unlock();
      return ForgetOrphans();
    }
    oldest = retired_.front();
    retired_.pop_front();
  }
  Forget(oldest);
  return true;
}

bool SecondPlace::ForgetOrphans() {
  const std::map<lss::Uuid, std::string> names = log_->space().labels()->All();
  for (const lss::StreamName& stream : found_) {
    const auto name = names.find(stream.database);
    if (name == names.end() || !log_->Wants(stream.database)) {
      continue;
    }
    const std::string& directory = name->second;
    // One that is missing may be on a disk that is not there at the moment.
    if (access((directory + "/CURRENT").c_str(), F_OK) != 0) {
      continue;
    }
    SecondMarker marker;
    const Status status = ReadSecondMarker(directory, &marker);
    const bool is_over = status.code() == Status::Code::kNotFound ||
                         (status.ok() && marker.database != stream.database);
    if (is_over) {
      log_->ForgetDatabase(stream.database);
      (void)log_->labels()->Remove(stream.database);
      return true;
    }
  }
  return false;
}

void SecondPlace::CatchUpWithin(std::chrono::milliseconds time) {
  const lss::MutexLock lock(&mutex_);
  if (time < catch_up_within_) {
    catch_up_within_ = time;
    changed_.NotifyAll();
  }
}

void SecondPlace::Maintain() {
  lss::MutexLock lock(&mutex_);
  Clock::time_point caught_up = Clock::now();
  while (!stop_) {
    if (!unlabelled_.empty()) {
      lock.Unlock();
      RemoveLabels();
      lock.Lock();
      continue;
    }
    if (streams_.empty() && failovers_.empty()) {
      changed_.Wait(&mutex_);
      continue;
    }
    const bool is_due = Clock::now() >= caught_up + catch_up_within_;
    NoteEnd();
    lock.Unlock();
    if (room_is_due_.exchange(false, std::memory_order_relaxed)) {  // Relaxed: as above
      log_->MakeRoom();
    }
    LookAfterLog();
    if (is_due || log_->RoomUsed() > log_->space().log_bytes() / 2) {
      CatchUpAll();
      caught_up = Clock::now();
    }
    lock.Lock();
    if (!stop_) {
      changed_.WaitUntil(&mutex_, std::min<Clock::time_point>(Clock::now() + kLookEvery,
                                                              caught_up + catch_up_within_));
    }
  }
}

void SecondPlace::LookAfterLog() {
  if (is_remote()) {  // its server knows how to make room, and cannot keep others out
    log_->CheckOwner();
  } else if (Status status = log_->PrepareAhead(kPreparedBytes); !status.ok()) {
    WarnOnce("a side log is not prepared ahead, syncs are slower: " + status.message());
  }
}

// All that have anything there: their syncs are cheap beside what they have saved. On threads of
// their own: one whose disk hangs holds up nobody else.
void SecondPlace::CatchUpAll() {
  const lss::MutexLock lock(&mutex_);
  for (const auto& [name, stream] : streams_) {
    if (catching_up_.insert(name).second) {
      catch_up_workers_->Add([this, stream = stream] { CatchUp(stream); });
    }
  }
}

void SecondPlace::CatchUp(const std::shared_ptr<lss::DoubledStream>& stream) {
  if (Status status = stream->CatchUp(); !status.ok()) {
    WarnOnce("a log stays behind its second place: " + status.message());
  }
  const lss::MutexLock lock(&mutex_);
  catching_up_.erase(stream->name());
}

}  // namespace bloom_lfs
