#include "plugin/second/second_database.h"

#include <thread>
#include <utility>

#include "lss/base/per_process.h"
#include "lss/base/posix_file.h"
#include "lss/recovery/ring_directory.h"
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
  // Those that this process has locked, and by which lock.
  std::map<const void*, DirectoryId> locks LSS_GUARDED_BY(mutex);
  std::map<DirectoryId, std::shared_ptr<SecondDatabase>> by_directory LSS_GUARDED_BY(mutex);

  // Of the log at `path`; null if its database is not locked.
  std::shared_ptr<SecondDatabase> Of(const std::string& path) {
    const std::string directory = lss::DirectoryOf(path);
    const DirectoryId id = DirectoryId::Of(lss::BaseNameOf(directory) == lss::kArchiveDirectoryName
                                               ? lss::DirectoryOf(directory)
                                               : directory);
    const lss::MutexLock lock(&mutex);
    const auto found = by_directory.find(id);
    return !id.known() || found == by_directory.end() ? nullptr : found->second;
  }
};

lss::PerProcess<Databases> g_databases;

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
  auto database = std::make_shared<SecondDatabase>();
  {
    const lss::MutexLock own(&database->mutex_);
    database->directory_ = directory;
    Status status = ReadSecondMarker(directory, &database->marker_);
    if (status.ok() && database->marker_.required) {
      status = Recover(directory, database->marker_, &database->place_);
    }
    if (!status.ok() && status.code() != Status::Code::kNotFound) {
      return status;
    }
  }
  Databases* const all = g_databases.Get();
  const DirectoryId id = DirectoryId::Of(directory);
  const lss::MutexLock guard(&all->mutex);
  all->locks[lock] = id;
  all->by_directory[id] = std::move(database);
  return Status::Ok();
}

Status SecondDatabase::Recover(const std::string& directory, const SecondMarker& marker,
                               std::shared_ptr<SecondPlace>* place) {
  Status status = RecoverDirectory(directory);
  if (!status.ok()) {
    return status;
  }
  status = OpenPlaceOf(marker, place);
  SecondRecovery recovered;
  for (int reading = 0; status.ok() && reading < kReadings; ++reading) {
    status = RecoverFromSide(directory, marker.database, (*place)->log()->space(), &recovered);
    if (status.code() != Status::Code::kCorruption) {
      break;
    }
  }
  if (!status.ok()) {
    return WithoutPlace(directory, marker, status);
  }
  (*place)->log()->ForgetDatabase(marker.database);
  return RemoveSecondMarker(directory);
}

void SecondDatabase::Unlocking(const void* lock) {
  std::shared_ptr<SecondDatabase> database;
  {
    Databases* const all = g_databases.Get();
    const lss::MutexLock guard(&all->mutex);
    const auto held = all->locks.find(lock);
    if (held == all->locks.end()) {
      return;
    }
    const auto found = all->by_directory.find(held->second);
    if (found != all->by_directory.end()) {
      database = std::move(found->second);
      all->by_directory.erase(found);
    }
    all->locks.erase(held);
  }
  if (database == nullptr) {
    return;
  }
  const lss::MutexLock own(&database->mutex_);
  if (database->begun_ && database->marker_.required &&
      !database->place_->log()->Wants(database->marker_.database)) {
    (void)RemoveSecondMarker(database->directory_);  // one that stays costs a look at the next open
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
                              std::unique_ptr<rocksdb::FSWritableFile>* file) {
  if (options.second_mode == "off") {
    return Status::Ok();
  }
  const std::shared_ptr<SecondDatabase> database = g_databases.Get()->Of(path);
  if (database == nullptr) {
    return Status::Ok();  // nobody has locked it, so nobody would recover it
  }
  std::shared_ptr<SecondPlace> place;
  lss::StreamName name;
  {
    const lss::MutexLock own(&database->mutex_);
    if (Status status = database->Begin(options); !status.ok()) {
      const bool must = options.second_mode == "mirror" && options.mirror_degraded == "wait";
      if (must) {
        return status;
      }
      WarnOnce("logs of " + database->directory_ +
               " go without their second place: " + status.message());
      return Status::Ok();
    }
    place = database->place_;
    name = {database->marker_.database, WalNumber(path), 0};
  }
  const int64_t degrade_after_ms = options.mirror_degraded == "wait"
                                       ? lss::DoubledStream::kNever
                                       : static_cast<int64_t>(options.failover_after_ms);
  auto synced = std::make_shared<SyncedFile>(std::move(*file));
  auto stream =
      place->Begin(name, ModeOf(options), degrade_after_ms, [synced] { return synced->Sync(); });
  *file = std::make_unique<DoubledLogFile>(synced, place, std::move(stream));
  return Status::Ok();
}

void SecondDatabase::Deleted(const std::string& path) {
  const std::shared_ptr<SecondDatabase> database = g_databases.Get()->Of(path);
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
