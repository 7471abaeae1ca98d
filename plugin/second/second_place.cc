#include "plugin/second/second_place.h"

#include <unistd.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "lss/base/per_process.h"
#include "lss/second_place/side_scan.h"
#include "plugin/second/second_marker.h"
#include "plugin/warning.h"

namespace bloom_lfs {
namespace {

using lss::Status;

constexpr uint64_t kPreparedBytes = 64ULL << 20;  // ahead of the tail
constexpr auto kLookEvery = std::chrono::seconds(1);
constexpr uint64_t kInFlight = 1;  // a directory is near
constexpr uint64_t kWorkers = 4;   // streams that combine their syncs

struct Places {
  lss::Mutex mutex;
  std::multimap<std::string, std::weak_ptr<SecondPlace>> by_name LSS_GUARDED_BY(mutex);

  // Those that are still used.
  std::vector<std::shared_ptr<SecondPlace>> At(const std::string& place) LSS_REQUIRES(mutex) {
    std::vector<std::shared_ptr<SecondPlace>> found;
    auto [entry, end] = by_name.equal_range(place);
    while (entry != end) {
      if (std::shared_ptr<SecondPlace> used = entry->second.lock(); used != nullptr) {
        if (!used->log()->has_failed()) {
          found.push_back(std::move(used));
        }
        ++entry;
      } else {
        entry = by_name.erase(entry);
      }
    }
    return found;
  }
};

lss::PerProcess<Places> g_places;

}  // namespace

Status SecondPlace::Open(const std::string& place, const std::set<lss::Uuid>& own, uint64_t bytes,
                         std::shared_ptr<SecondPlace>* result) {
  Places* const places = g_places.Get();
  const lss::MutexLock lock(&places->mutex);
  if (const auto used = places->At(place); !used.empty()) {
    *result = used.front();
    return Status::Ok();
  }
  std::shared_ptr<SecondPlace> opened(new SecondPlace(place));
  Status status = lss::OpenSideSpace(place, own, bytes, WarnOnce, &opened->held_);
  if (status.ok()) {
    status = opened->Init();
  }
  if (status.ok()) {
    places->by_name.emplace(place, opened);
    *result = std::move(opened);
  }
  return status;
}

Status SecondPlace::OpenNamed(const std::string& place, const lss::Uuid& log,
                              std::shared_ptr<SecondPlace>* result) {
  Places* const places = g_places.Get();
  const lss::MutexLock lock(&places->mutex);
  for (const std::shared_ptr<SecondPlace>& used : places->At(place)) {
    if (used->log_name() == log) {
      *result = used;
      return Status::Ok();
    }
  }
  std::shared_ptr<SecondPlace> opened(new SecondPlace(place));
  Status status = lss::OpenNamedSideSpace(place, log, WarnOnce, &opened->held_);
  if (status.ok()) {
    status = opened->held_.space->TakeOver();
  }
  if (status.ok()) {
    status = opened->Init();
  }
  if (status.ok()) {
    places->by_name.emplace(place, opened);
    *result = std::move(opened);
  }
  return status;
}

Status SecondPlace::Init() {
  lss::LiveRecords wanted;
  lss::SideScan scan;
  Status status = lss::ScanSideLog(
      *held_.space,
      [&](const lss::SideRecord& record, uint64_t lsn) {
        wanted.Add(record.stream, record.offset + record.bytes.size, lsn);
        found_.insert(record.stream);
      },
      &scan);
  if (status.ok()) {
    status =
        lss::SideLog::Open(std::move(held_.space), scan.end, std::move(wanted), kInFlight, &log_);
  }
  return status.ok() ? StartThreads() : status;
}

Status SecondPlace::StartThreads() {
  Status status = lss::SideWorkers::Start(kWorkers, &workers_);
  if (status.ok()) {
    status = lss::Thread::Start(
        "bloom_second", [this] { Maintain(); }, &maintenance_);
  }
  return status;
}

SecondPlace::~SecondPlace() {
  if (fork_guard_.InForkedChild()) {
    maintenance_.Forget();
    (void)workers_.release();  // its threads are the parent's
    (void)log_.release();      // as the parent left it
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
  if (log_ != nullptr) {
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
  const lss::SecondParts parts = {log_.get(), workers_.get(), &figures_,
                                  [this] { return MakeRoom(); }, WarnOnce};
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

void SecondPlace::Forget(const lss::StreamName& name) { log_->Forget(name); }

void SecondPlace::Retire(const lss::StreamName& name) {
  const lss::MutexLock lock(&mutex_);
  retired_.push_back(name);
}

std::vector<lss::StreamName> SecondPlace::FoundOf(const std::set<lss::Uuid>& databases) const {
  std::vector<lss::StreamName> names;
  for (const lss::StreamName& name : found_) {
    if (databases.count(name.database) > 0) {
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
  const std::map<lss::Uuid, std::string> names = lss::DatabaseNames(place_);
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
      lss::UnnameDatabase(place_, stream.database);
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
  using Clock = std::chrono::steady_clock;
  lss::MutexLock lock(&mutex_);
  Clock::time_point caught_up = Clock::now();
  while (!stop_) {
    if (streams_.empty() && failovers_.empty()) {
      changed_.Wait(&mutex_);
      continue;
    }
    const bool is_due = Clock::now() >= caught_up + catch_up_within_;
    lock.Unlock();
    if (Status status = log_->PrepareAhead(kPreparedBytes); !status.ok()) {
      WarnOnce("a side log is not prepared ahead, syncs are slower: " + status.message());
    }
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

// All that have anything there: their syncs are cheap beside what they have saved.
void SecondPlace::CatchUpAll() {
  std::vector<std::shared_ptr<lss::DoubledStream>> streams;
  {
    const lss::MutexLock lock(&mutex_);
    for (const auto& [name, stream] : streams_) {
      streams.push_back(stream);
    }
  }
  for (const std::shared_ptr<lss::DoubledStream>& stream : streams) {
    if (Status status = stream->CatchUp(); !status.ok()) {
      WarnOnce("a log stays behind its second place: " + status.message());
    }
  }
}

}  // namespace bloom_lfs
