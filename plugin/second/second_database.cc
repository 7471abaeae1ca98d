#include "plugin/second/second_database.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <thread>
#include <utility>

#include "lss/base/boot_id.h"
#include "lss/base/file_identity.h"
#include "lss/base/per_process.h"
#include "lss/base/posix_file.h"
#include "lss/recovery/ring_directory.h"
#include "lss/second_place/hand_off_queue.h"
#include "plugin/directory_id.h"
#include "plugin/directory_recovery.h"
#include "plugin/file_kind.h"
#include "plugin/plugin_options.h"
#include "plugin/second/doubled_log_file.h"
#include "plugin/second/failover_log_file.h"
#include "plugin/second/second_recovery.h"
#include "plugin/warning.h"

namespace bloom_lfs {
namespace {

using lss::Status;

// The last owner may still be on its way out.
constexpr auto kWaitForOwner = std::chrono::seconds(5);
// A log that is being written looks damaged where a write is under way.
constexpr int kReadings = 5;

struct Databases {
  lss::Mutex mutex;
  // Kept by the lock that this process has, or by the logs that it writes.
  std::map<const void*, std::shared_ptr<SecondDatabase>> by_lock LSS_GUARDED_BY(mutex);
  std::map<DirectoryId, std::weak_ptr<SecondDatabase>> by_directory LSS_GUARDED_BY(mutex);

  // Of the log at `path`, which may be in the archive.
  std::shared_ptr<SecondDatabase> FindLog(const std::string& path) {
    const std::string directory = lss::DirectoryOf(path);
    const lss::MutexLock lock(&mutex);
    if (by_directory.empty()) {
      return nullptr;
    }
    std::shared_ptr<SecondDatabase> found = Find(DirectoryId::Of(directory));
    return found != nullptr || lss::BaseNameOf(directory) != lss::kArchiveDirectoryName
               ? found
               : Find(DirectoryId::Of(lss::DirectoryOf(directory)));
  }
  std::shared_ptr<SecondDatabase> Find(const DirectoryId& id) LSS_REQUIRES(mutex) {
    const auto found = by_directory.find(id);
    return !id.known() || found == by_directory.end() ? nullptr : found->second.lock();
  }
};

lss::PerProcess<Databases> g_databases;

lss::FailoverLimits LimitsOf(const PluginOptions& options) {
  constexpr int64_t kNanosPerMilli = 1000000;
  return {static_cast<int64_t>(options.failover_after_ms) * kNanosPerMilli,
          static_cast<int64_t>(options.failback_below_ms) * kNanosPerMilli,
          static_cast<int64_t>(options.failback_after_s) * 1000 * kNanosPerMilli};
}

lss::SecondMode ModeOf(const PluginOptions& options) {
  return options.second_mode == "mirror" ? lss::SecondMode::kMirror : lss::SecondMode::kGroup;
}

Status WithoutPlace(const std::string& directory, const SecondMarker& marker, const Status& why) {
  return Status::IoError(
      directory + " was written with the second place " + marker.place +
      ", which may have what its files lack, and which cannot be used: " + why.message() +
      ". Bring it back, or give up what is only there by removing " + directory + "/" +
      lss::kRingDirectoryName + "/second");
}

lss::FileIdentity IdentityOf(const std::string& directory) {
  lss::FileIdentity identity;
  uint64_t size = 0;
  (void)lss::IdentifyPath(directory, &identity, &size);
  return identity;
}

lss::Uuid ThisBoot() {
  lss::Uuid boot = {};
  std::copy_n(lss::BootId(), boot.size(), boot.begin());
  return boot;
}

// Names are written down, and read by processes that were started elsewhere.
std::string Absolute(const std::string& path) {
  const std::unique_ptr<char, void (*)(void*)> whole(realpath(path.c_str(), nullptr), std::free);
  return whole == nullptr ? path : whole.get();
}

// Of a directory that may be missing, in one that is not.
Status ResolvePlace(const std::string& name, std::string* resolved) {
  const std::string parent = Absolute(lss::DirectoryOf(name));
  if (access(parent.c_str(), F_OK) != 0) {
    return Status::FromErrno("find", parent, -1, errno);
  }
  *resolved = Absolute(parent + "/" + lss::BaseNameOf(name));
  return Status::Ok();
}

}  // namespace

SecondDatabase::SecondDatabase(const std::string& directory) : directory_(Absolute(directory)) {}

Status SecondDatabase::Locked(const void* lock, const std::string& directory) {
  Databases* const all = g_databases.Get();
  const DirectoryId id = DirectoryId::Of(directory);
  std::shared_ptr<SecondDatabase> database;
  {
    const lss::MutexLock guard(&all->mutex);
    database = all->Find(id);  // another name for a database that this process has open
  }
  if (database == nullptr) {
    database = std::make_shared<SecondDatabase>(directory);
    const auto until = std::chrono::steady_clock::now() + kWaitForOwner;
    bool busy = false;
    Status status = database->Arrive(&busy);
    while (busy && std::chrono::steady_clock::now() < until) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      status = database->Arrive(&busy);
    }
    if (!status.ok()) {
      return status;
    }
  }
  const lss::MutexLock guard(&all->mutex);
  all->by_directory[id] = database;
  all->by_lock[lock] = std::move(database);
  return Status::Ok();
}

void SecondDatabase::Unlocking(const void* lock) {
  std::shared_ptr<SecondDatabase> database;  // goes behind the mutex
  Databases* const all = g_databases.Get();
  const lss::MutexLock guard(&all->mutex);
  const auto held = all->by_lock.find(lock);
  if (held != all->by_lock.end()) {
    database = std::move(held->second);
    all->by_lock.erase(held);
  }
}

Status SecondDatabase::Listing(const std::string& directory) {
  SecondMarker marker;
  if (ReadSecondMarker(directory, &marker).code() == Status::Code::kNotFound) {
    return Status::Ok();
  }
  {
    Databases* const all = g_databases.Get();
    const lss::MutexLock guard(&all->mutex);
    if (all->Find(DirectoryId::Of(directory)) != nullptr) {
      return Status::Ok();
    }
  }
  SecondDatabase database(directory);
  bool busy = false;
  Status status = database.Arrive(&busy);
  return busy ? Status::Ok() : status;  // its owner lives, and needs no help
}

Status SecondDatabase::Arrive(bool* busy) {
  const lss::MutexLock own(&mutex_);
  *busy = false;
  Status status = ReadSecondMarker(directory_, &marker_);
  if (status.code() == Status::Code::kNotFound) {
    return Status::Ok();
  }
  if (status.ok()) {
    status = lock_.Take(directory_, busy);
  }
  if (status.ok()) {
    status = ReadSecondMarker(directory_, &marker_);  // as it stays now
  }
  return status.ok() ? Recover() : status.code() == Status::Code::kNotFound ? Status::Ok() : status;
}

Status SecondDatabase::Recover() {
  RecordedLogs recorded;
  Status status = ReadRecords(&recorded);
  if (!status.ok()) {
    return WithoutPlace(directory_, marker_, status);
  }
  if (IsSuperseded(directory_, recorded)) {
    WarnOnce("somebody has gone on with " + directory_ + " without its second place " +
             marker_.place + "; what was only there is left out");
    recorded.clear();
  } else if (marker_.boot != ThisBoot()) {
    // The rings' recovery cuts a file behind its last whole record, and a record that ends in the
    // side log looks torn in the file. In the same boot the rings have everything.
    status = WriteRecordedLogs(directory_, recorded, /*touching_only=*/true);
  }
  if (status.ok()) {
    status = RecoverDirectory(directory_);
  }
  if (status.ok()) {
    status = WriteRecordedLogs(directory_, recorded, /*touching_only=*/false);
  }
  RecordedLogs queued;
  if (status.ok()) {
    status = ReadQueuedLogs(marker_.queues, directory_, marker_.database, &queued);
  }
  if (status.ok()) {
    status = WriteRecordedLogs(directory_, queued, /*touching_only=*/false);
  }
  if (!status.ok()) {
    return status;
  }
  if (marker_.directory.SameFile(IdentityOf(directory_))) {
    lss::HandOffQueue::Remove(marker_.queues, marker_.database);
    GiveUpRecords();  // a copy leaves them to the original
  }
  return RemoveSecondMarker(directory_, marker_.database);
}

Status SecondDatabase::ReadRecords(RecordedLogs* logs) {
  Status status;
  // A log that another database's owner is writing looks damaged where a write is under way.
  for (int reading = 0; reading < kReadings; ++reading) {
    std::unique_ptr<lss::SideSpace> space;
    std::string path;
    status = lss::FindSideSpace(marker_.place, marker_.log, WarnOnce, &space, &path);
    if (status.ok()) {
      status = ReadRecordedLogs(*space, marker_.database, logs);
    }
    if (status.code() != Status::Code::kCorruption) {
      break;
    }
  }
  return status;
}

// If another process has the log, it finds out itself when it wants the room.
void SecondDatabase::GiveUpRecords() {
  std::shared_ptr<SecondPlace> place;
  const Status status = SecondPlace::OpenNamed(marker_.place, marker_.log, &place);
  if (status.ok()) {
    place->log()->ForgetDatabase(marker_.database);
    lss::UnnameDatabase(marker_.place, marker_.database);
    place_ = std::move(place);
  }
}

SecondDatabase::~SecondDatabase() {
  if (fork_guard_.InForkedChild()) {
    return;
  }
  const lss::MutexLock own(&mutex_);
  if (begun_ && !place_->log()->has_failed() && !place_->log()->Wants(marker_.database)) {
    lss::UnnameDatabase(place_->place(), marker_.database);
    // One that stays costs a look at the next open.
    (void)RemoveSecondMarker(directory_, marker_.database);
  }
}

Status SecondDatabase::Begin(const PluginOptions& options) {
  if (begun_) {
    return Status::Ok();
  }
  const bool is_mirror = options.second_mode == "mirror";
  std::string name;
  Status status = ResolvePlace(options.second_place, &name);
  std::shared_ptr<SecondPlace> place;
  if (status.ok()) {
    // A mirror goes on in the log where its last life was.
    status = SecondPlace::Open(name, is_mirror ? LivesOf(name) : std::set<lss::Uuid>(),
                               options.second_bytes, &place);
  }
  if (!status.ok()) {
    return status;
  }
  place->CatchUpWithin(std::chrono::milliseconds(options.second_catch_up_ms));
  const SecondMarker marker = {place->log_name(),      lss::DrawUuid(),        ThisBoot(),
                               IdentityOf(directory_), options.ring_directory, name};
  // A mirror has nothing that the files lack.
  status = lss::NameDatabase(name, marker.database, directory_);
  if (status.ok() && !is_mirror) {
    status = WriteMarker(marker);
  }
  if (!status.ok()) {
    return status;
  }
  marker_ = marker;
  place_ = std::move(place);
  is_mirror_ = is_mirror;
  begun_ = true;
  if (options.second_mode == "failover" || options.second_mode == "hedge") {
    policy_ = std::make_shared<lss::SharedFailoverPolicy>(LimitsOf(options));
  }
  if (is_mirror) {
    AdoptOlderLogs();
  }
  return status;
}

Status SecondDatabase::WriteMarker(const SecondMarker& marker) {
  Status status = MakeRingDirectory(directory_);
  bool busy = false;
  const auto until = std::chrono::steady_clock::now() + kWaitForOwner;
  while (status.ok() && !lock_.held()) {
    status = lock_.Take(directory_, &busy);
    if (!busy || std::chrono::steady_clock::now() > until) {
      break;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    status = Status::Ok();
  }
  return status.ok() ? WriteSecondMarker(directory_, marker) : status;
}

// What logs of the place call this database, in this life or an earlier one.
std::set<lss::Uuid> SecondDatabase::LivesOf(const std::string& place) const {
  std::set<lss::Uuid> lives;
  for (const auto& [database, words] : lss::DatabaseNames(place)) {
    if (words == directory_) {
      lives.insert(database);
    }
  }
  return lives;
}

void SecondDatabase::AdoptOlderLogs() {
  for (const lss::StreamName& name : place_->FoundOf(LivesOf(place_->place()))) {
    if (FindLog(directory_, name.number).empty()) {
      place_->Retire(name);
    } else {
      older_.emplace(name.number, name);
    }
  }
}

Status SecondDatabase::Double(const std::string& path, const PluginOptions& options,
                              std::function<void()> note_sync,
                              std::unique_ptr<rocksdb::FSWritableFile>* file) {
  if (options.second_mode == "off") {
    return Status::Ok();
  }
  const std::string directory = lss::DirectoryOf(path);
  std::shared_ptr<SecondDatabase> database;
  {
    Databases* const all = g_databases.Get();
    const DirectoryId id = DirectoryId::Of(directory);
    const lss::MutexLock guard(&all->mutex);
    database = all->Find(id);
    if (database == nullptr) {
      database = std::make_shared<SecondDatabase>(directory);
      all->by_directory[id] = database;
    }
  }
  const lss::MutexLock own(&database->mutex_);
  if (Status status = database->Begin(options); !status.ok()) {
    if (options.second_mode == "mirror" && options.mirror_degraded == "wait") {
      return status;
    }
    WarnOnce("logs of " + directory + " go without their second place: " + status.message());
    return Status::Ok();
  }
  Status status = database->Wrap(path, options, database, std::move(note_sync), file);
  if (!status.ok()) {
    WarnOnce("logs of " + directory + " go without their second place: " + status.message());
  }
  return Status::Ok();
}

Status SecondDatabase::Wrap(const std::string& path, const PluginOptions& options,
                            const std::shared_ptr<SecondDatabase>& self,
                            std::function<void()> note_sync,
                            std::unique_ptr<rocksdb::FSWritableFile>* file) {
  const lss::StreamName name = {marker_.database, WalNumber(path), 0};
  const bool hedge = options.second_mode == "hedge";
  auto synced = std::make_shared<SyncedFile>(std::move(*file), std::move(note_sync));
  if (hedge || options.second_mode == "failover") {
    std::shared_ptr<lss::FailoverStream> stream;
    Status status = place_->BeginFailover(name, hedge, policy_, options.ring_directory,
                                          std::make_shared<FedFile>(synced), &stream);
    if (!status.ok()) {
      *file = synced->Release();
      return status;
    }
    *file = std::make_unique<FailoverLogFile>(synced, place_, std::move(stream), self);
    return Status::Ok();
  }
  const int64_t degrade_after_ms = options.mirror_degraded == "wait"
                                       ? lss::DoubledStream::kNever
                                       : static_cast<int64_t>(options.failover_after_ms);
  auto stream =
      place_->Begin(name, ModeOf(options), degrade_after_ms, [synced] { return synced->Sync(); });
  *file = std::make_unique<DoubledLogFile>(synced, place_, std::move(stream), self);
  return Status::Ok();
}

Status SecondDatabase::Show(const std::string& path) {
  Databases* const all = g_databases.Peek();
  const std::shared_ptr<SecondDatabase> database = all == nullptr ? nullptr : all->FindLog(path);
  if (database == nullptr) {
    return Status::Ok();
  }
  std::shared_ptr<SecondPlace> place;
  lss::StreamName name;
  {
    const lss::MutexLock own(&database->mutex_);
    if (!database->begun_ || database->policy_ == nullptr) {
      return Status::Ok();
    }
    place = database->place_;
    name = {database->marker_.database, WalNumber(path), 0};
  }
  return place->Drain(name);
}

void SecondDatabase::Deleted(const std::string& path) {
  Databases* const all = g_databases.Peek();
  const std::shared_ptr<SecondDatabase> database = all == nullptr ? nullptr : all->FindLog(path);
  if (database == nullptr) {
    return;
  }
  const lss::MutexLock own(&database->mutex_);
  if (!database->begun_) {
    return;
  }
  const uint64_t number = WalNumber(path);
  const lss::StreamName name = {database->marker_.database, number, lss::StreamName::kLog};
  if (!database->is_mirror_) {
    database->place_->Forget(name);
    return;
  }
  const auto [first, last] = database->older_.equal_range(number);
  for (auto older = first; older != last; ++older) {
    database->place_->Retire(older->second);
  }
  database->older_.erase(first, last);
  database->place_->Retire(name);
}

}  // namespace bloom_lfs
