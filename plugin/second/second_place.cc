#include "plugin/second/second_place.h"

#include <unistd.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "lss/base/per_process.h"
#include "lss/second_place/side_scan.h"
#include "plugin/second/patient_end.h"
#include "plugin/second/second_marker.h"
#include "plugin/warning.h"

namespace bloom_lfs {
namespace {

using lss::Status;

constexpr uint64_t kPreparedBytes = 64ULL << 20;  // ahead of the tail
constexpr auto kLookEvery = std::chrono::seconds(1);
constexpr uint64_t kInFlight = 2;  // a directory is near: more syncs combine if fewer are under way
constexpr uint64_t kInFlightRemote = lss::SideLog::kMaxInFlight;
constexpr uint64_t kWorkers = 4;  // streams that combine their syncs
constexpr uint64_t kWorkersRemote = kInFlightRemote;
constexpr uint64_t kCatchUpWorkers = 2;
// Closing a database waits for its place so long.
constexpr auto kCloseWithin = std::chrono::seconds(10);

// The logs that this process has open in one place.
struct PlaceLogs {
  lss::Mutex mutex;  // held while one is opened, which may take as long as a server takes
  std::vector<std::weak_ptr<SecondPlace>> all LSS_GUARDED_BY(mutex);

  // Those that are still used and have not failed.
  std::vector<std::shared_ptr<SecondPlace>> Used() LSS_REQUIRES(mutex) {
    std::vector<std::shared_ptr<SecondPlace>> used;
    std::vector<std::weak_ptr<SecondPlace>> left;
    for (const std::weak_ptr<SecondPlace>& each : all) {
      if (std::shared_ptr<SecondPlace> place = each.lock(); place != nullptr) {
        left.push_back(each);
        if (!place->log()->has_failed()) {
          used.push_back(std::move(place));
        }
      }
    }
    all.swap(left);
    return used;
  }
  std::shared_ptr<SecondPlace> Find(const lss::Uuid& log) LSS_REQUIRES(mutex) {
    for (const std::shared_ptr<SecondPlace>& used : Used()) {
      if (used->log_name() == log) {
        return used;
      }
    }
    return nullptr;
  }
};

struct Places {
  lss::Mutex mutex;
  std::map<std::string, std::shared_ptr<PlaceLogs>> by_name LSS_GUARDED_BY(mutex);
};

lss::PerProcess<Places> g_places;

std::shared_ptr<PlaceLogs> LogsAt(const std::string& place) {
  Places* const places = g_places.Get();
  const lss::MutexLock lock(&places->mutex);
  std::shared_ptr<PlaceLogs>& logs = places->by_name[place];
  if (logs == nullptr) {
    logs = std::make_shared<PlaceLogs>();
  }
  return logs;
}

}  // namespace

Status SecondPlace::Open(const std::string& place, const std::string& database, uint64_t bytes,
                         std::shared_ptr<SecondPlace>* result) {
  const std::shared_ptr<PlaceLogs> logs = LogsAt(place);
  const lss::MutexLock lock(&logs->mutex);
  if (const auto used = logs->Used(); !used.empty()) {
    *result = used.front();
    return Status::Ok();
  }
  const std::shared_ptr<SecondPlace> opened = New(place);
  Status status = lss::OpenSideSpace(place, database, bytes, WarnOnce, &opened->held_);
  if (status.ok()) {
    status = opened->Init();
  }
  if (status.ok()) {
    logs->all.push_back(opened);
    *result = opened;
  }
  return status;
}

std::shared_ptr<SecondPlace> SecondPlace::FindOpen(const std::string& place, const lss::Uuid& log) {
  const std::shared_ptr<PlaceLogs> logs = LogsAt(place);
  const lss::MutexLock lock(&logs->mutex);
  return logs->Find(log);
}

Status SecondPlace::OpenNamed(const std::string& place, const lss::Uuid& log,
                              std::shared_ptr<SecondPlace>* result) {
  const std::shared_ptr<PlaceLogs> logs = LogsAt(place);
  const lss::MutexLock lock(&logs->mutex);
  *result = logs->Find(log);
  if (*result != nullptr) {
    return Status::Ok();
  }
  const std::shared_ptr<SecondPlace> opened = New(place);
  Status status = lss::OpenNamedSideSpace(place, log, WarnOnce, &opened->held_);
  if (status.ok()) {
    status = opened->held_.space->TakeOver();
  }
  if (status.ok()) {
    status = opened->Init();
  }
  if (status.ok()) {
    logs->all.push_back(opened);
    *result = opened;
  }
  return status;
}

std::shared_ptr<SecondPlace> SecondPlace::New(const std::string& place) {
  return {new SecondPlace(place), Close};
}

void SecondPlace::Close(SecondPlace* place) {
  if (place->fork_guard_.InForkedChild()) {
    delete place;
    return;
  }
  const std::string name = place->place_;
  if (!EndWithin(kCloseWithin, [place] { delete place; })) {
    WarnOnce("the second place " + name + " does not answer; it is closed when it does");
  }
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
    status = lss::SideLog::Open(std::move(held_.space), scan.end, std::move(wanted),
                                is_remote() ? kInFlightRemote : kInFlight, &log_);
  }
  return status.ok() ? StartThreads() : status;
}

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
