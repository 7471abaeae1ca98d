#include "plugin/second/second_database.h"

#include <thread>
#include <utility>

#include "lss/base/per_process.h"
#include "lss/base/posix_file.h"
#include "lss/recovery/ring_directory.h"
#include "plugin/database_locks.h"
#include "plugin/directory_id.h"
#include "plugin/directory_recovery.h"
#include "plugin/file_kind.h"
#include "plugin/plugin_options.h"
#include "plugin/second/doubled_log_file.h"
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

  std::shared_ptr<SecondDatabase> Find(const DirectoryId& id) LSS_REQUIRES(mutex) {
    const auto found = by_directory.find(id);
    return !id.known() || found == by_directory.end() ? nullptr : found->second.lock();
  }
};

lss::PerProcess<Databases> g_databases;

// Of the log at `path`.
std::string DirectoryOfLogs(const std::string& path) {
  const std::string directory = lss::DirectoryOf(path);
  return lss::BaseNameOf(directory) == lss::kArchiveDirectoryName ? lss::DirectoryOf(directory)
                                                                  : directory;
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

Status OpenPlaceOf(const SecondMarker& marker, std::shared_ptr<SecondPlace>* place) {
  const auto until = std::chrono::steady_clock::now() + kWaitForOwner;
  for (;;) {
    Status status = SecondPlace::OpenNamed(marker.place, marker.log, place);
    if (!lss::RingLock::IsBusy(status) || std::chrono::steady_clock::now() > until) {
      return status;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

}  // namespace

Status SecondDatabase::Locked(const void* lock, const std::string& directory) {
  auto database = std::make_shared<SecondDatabase>(directory);
  if (Status status = database->Arrive(); !status.ok()) {
    return status;
  }
  Databases* const all = g_databases.Get();
  const lss::MutexLock guard(&all->mutex);
  all->by_directory[DirectoryId::Of(directory)] = database;
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
  if (!HoldsSomeDatabase() ||
      ReadSecondMarker(directory, &marker).code() == Status::Code::kNotFound) {
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
  Status status = database.Arrive();
  // Somebody else's, who lives.
  return lss::RingLock::IsBusy(status) ? Status::Ok() : status;
}

Status SecondDatabase::Arrive() {
  const lss::MutexLock own(&mutex_);
  Status status = ReadSecondMarker(directory_, &marker_);
  if (status.ok() && marker_.required) {
    return Recover();
  }
  return status.code() == Status::Code::kNotFound ? Status::Ok() : status;
}

Status SecondDatabase::Recover() {
  Status status = RecoverDirectory(directory_);
  if (!status.ok()) {
    return status;
  }
  status = OpenPlaceOf(marker_, &place_);
  SecondRecovery recovered;
  for (int reading = 0; status.ok() && reading < kReadings; ++reading) {
    status = RecoverFromSide(directory_, marker_.database, place_->log()->space(), &recovered);
    if (status.code() != Status::Code::kCorruption) {
      break;
    }
  }
  if (lss::RingLock::IsBusy(status)) {
    return status;
  }
  if (!status.ok()) {
    return WithoutPlace(directory_, marker_, status);
  }
  place_->log()->ForgetDatabase(marker_.database);
  return RemoveSecondMarker(directory_);
}

SecondDatabase::~SecondDatabase() {
  const lss::MutexLock own(&mutex_);
  if (begun_ && marker_.required && !place_->log()->Wants(marker_.database)) {
    (void)RemoveSecondMarker(directory_);  // one that stays costs a look at the next open
  }
}

Status SecondDatabase::Begin(const PluginOptions& options) {
  if (begun_) {
    return Status::Ok();
  }
  const bool is_mirror = ModeOf(options) == lss::SecondMode::kMirror;
  std::shared_ptr<SecondPlace> place;
  // A mirror goes on where it was, so that its records lie together.
  if (is_mirror && marker_.place == options.second_place) {
    (void)SecondPlace::OpenNamed(options.second_place, marker_.log, &place);
  }
  Status status = place != nullptr
                      ? Status::Ok()
                      : SecondPlace::Open(options.second_place, options.second_bytes, &place);
  if (!status.ok()) {
    return status;
  }
  place->CatchUpWithin(std::chrono::milliseconds(options.second_catch_up_ms));
  const SecondMarker marker = {options.second_place, place->log_name(), lss::DrawUuid(),
                               !is_mirror};
  status = WriteSecondMarker(directory_, marker);
  if (status.ok()) {
    marker_ = marker;
    place_ = std::move(place);
    begun_ = true;
  }
  return status;
}

Status SecondDatabase::Double(const std::string& path, const PluginOptions& options,
                              std::function<void()> note_sync,
                              std::unique_ptr<rocksdb::FSWritableFile>* file) {
  if (options.second_mode == "off") {
    return Status::Ok();
  }
  const std::string directory = DirectoryOfLogs(path);
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
  const int64_t degrade_after_ms = options.mirror_degraded == "wait"
                                       ? lss::DoubledStream::kNever
                                       : static_cast<int64_t>(options.failover_after_ms);
  auto synced = std::make_shared<SyncedFile>(std::move(*file), std::move(note_sync));
  auto stream =
      database->place_->Begin({database->marker_.database, WalNumber(path), 0}, ModeOf(options),
                              degrade_after_ms, [synced] { return synced->Sync(); });
  *file = std::make_unique<DoubledLogFile>(synced, database->place_, std::move(stream), database);
  return Status::Ok();
}

void SecondDatabase::Deleted(const std::string& path) {
  std::shared_ptr<SecondDatabase> database;
  {
    Databases* const all = g_databases.Get();
    const DirectoryId id = DirectoryId::Of(DirectoryOfLogs(path));
    const lss::MutexLock guard(&all->mutex);
    database = all->Find(id);
  }
  if (database == nullptr) {
    return;
  }
  const lss::MutexLock own(&database->mutex_);
  if (database->begun_) {
    database->place_->Deleted(
        {database->marker_.database, WalNumber(path), 0},
        database->marker_.required ? lss::SecondMode::kGroup : lss::SecondMode::kMirror);
  }
}

}  // namespace bloom_lfs
