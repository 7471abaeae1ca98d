// The register of databases with second places in this process, and what RocksDB's calls do to it.
#include <algorithm>
#include <thread>
#include <utility>

#include "lss/base/per_process.h"
#include "lss/base/posix_file.h"
#include "lss/recovery/ring_directory.h"
#include "plugin/directory_id.h"
#include "plugin/file_kind.h"
#include "plugin/plugin_options.h"
#include "plugin/second/second_database.h"
#include "plugin/warning.h"

namespace bloom_lfs {
namespace {

using lss::Status;

// The last owner may still be on its way out.
constexpr auto kWaitForLastOwner = std::chrono::seconds(5);

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

}  // namespace

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
    const auto until = std::chrono::steady_clock::now() + kWaitForLastOwner;
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
    if (options.needs_second_place()) {
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

Status SecondDatabase::Show(const std::string& path) {
  Databases* const all = g_databases.Peek();
  const std::shared_ptr<SecondDatabase> database = all == nullptr ? nullptr : all->FindLog(path);
  if (database == nullptr) {
    return Status::Ok();
  }
  std::vector<std::pair<lss::Uuid, std::shared_ptr<SecondPlace>>> lives;
  {
    const lss::MutexLock own(&database->mutex_);
    if (!database->begun_ || database->policy_ == nullptr) {
      return Status::Ok();
    }
    lives.emplace_back(database->marker_.database, database->place_);
    for (const auto& [uuid, place] : database->earlier_) {
      lives.emplace_back(uuid, place.lock());
    }
  }
  Status status;
  for (const auto& [uuid, place] : lives) {
    if (place != nullptr && status.ok()) {
      status = place->Drain({uuid, WalNumber(path), lss::StreamName::kLog});
    }
  }
  return status;
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
