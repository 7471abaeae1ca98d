// A database with a second place: the marker, recovery, and the streams of its logs. By the
// directory of its logs, which need not be where its lock is.
//
// Thread safety: every function from any thread.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "lss/base/fork_guard.h"
#include "lss/base/mutex.h"
#include "plugin/second/second_marker.h"
#include "plugin/second/second_place.h"
#include "plugin/second/second_recovery.h"
#include "rocksdb/file_system.h"

namespace bloom_lfs {

struct PluginOptions;

class SecondDatabase {
 public:
  // RocksDB has locked the database by `lock`: what its files lack is brought to them. An error:
  // the place that it needs is not there, or cannot be read; it must not be opened then.
  static lss::Status Locked(const void* lock, const std::string& directory);
  // RocksDB is about to unlock it; its logs are closed.
  static void Unlocking(const void* lock);
  // RocksDB is about to list `directory`: in order to read the database without locking it, or
  // because its logs are there and its lock is elsewhere. If the owner of the logs is dead, the
  // same is done as for a database that is locked.
  static lss::Status Listing(const std::string& directory);

  // `file` is the log at `path`, about to be written. If the options ask for a second place, it
  // gets one, and `note_sync` (may be null) is called when it is synced. An error: of a mirror that
  // has to have it; otherwise it goes without.
  static lss::Status Double(const std::string& path, const PluginOptions& options,
                            std::function<void()> note_sync,
                            std::unique_ptr<rocksdb::FSWritableFile>* file);
  // Somebody is going to look at the file of the log at `path`: it gets what was appended.
  static lss::Status Show(const std::string& path);
  // The log at `path` was deleted.
  static void Deleted(const std::string& path);

  explicit SecondDatabase(const std::string& directory);
  // Removes the marker, if nothing is wanted of the second place.
  ~SecondDatabase();
  SecondDatabase(const SecondDatabase&) = delete;
  SecondDatabase& operator=(const SecondDatabase&) = delete;

 private:
  using Clock = std::chrono::steady_clock;

  // Brings to the files what the marker says that they may lack. `busy`: somebody else writes the
  // logs, or does the same.
  lss::Status Arrive(bool* busy);
  lss::Status Recover() LSS_REQUIRES(mutex_);
  void GiveUpRecords() LSS_REQUIRES(mutex_);
  // Whether there is one that new logs may, or have to, use.
  bool HasPlace() const LSS_REQUIRES(mutex_);
  // Opens the place, if that was not done or it has failed, and makes the marker durable.
  // Where that has failed a moment ago, it is not tried again.
  lss::Status Begin(const PluginOptions& options) LSS_REQUIRES(mutex_);
  lss::Status BeginNow(const PluginOptions& options) LSS_REQUIRES(mutex_);
  lss::Status WriteMarker(const SecondMarker& marker) LSS_REQUIRES(mutex_);
  // Of a mirror: those that its earlier lives have left in the place.
  void AdoptOlderLogs(const std::vector<lss::StreamName>& names) LSS_REQUIRES(mutex_);
  lss::Status Wrap(const std::string& path, const PluginOptions& options,
                   const std::shared_ptr<SecondDatabase>& self, std::function<void()> note_sync,
                   std::unique_ptr<rocksdb::FSWritableFile>* file) LSS_REQUIRES(mutex_);

  const lss::ForkGuard fork_guard_;
  const std::string directory_;
  lss::Mutex mutex_;
  SecondLock lock_ LSS_GUARDED_BY(mutex_);
  std::shared_ptr<SecondPlace> place_ LSS_GUARDED_BY(mutex_);
  SecondMarker marker_ LSS_GUARDED_BY(mutex_);  // a mirror has none in the directory
  bool is_mirror_ LSS_GUARDED_BY(mutex_) = false;
  // A mirror's logs of earlier lives that are still there, by their numbers.
  std::multimap<uint64_t, lss::StreamName> older_ LSS_GUARDED_BY(mutex_);
  std::shared_ptr<lss::SharedFailoverPolicy> policy_ LSS_GUARDED_BY(mutex_);
  std::unique_ptr<FigureSource> figures_ LSS_GUARDED_BY(mutex_);
  bool begun_ LSS_GUARDED_BY(mutex_) = false;
  lss::Status begin_error_ LSS_GUARDED_BY(mutex_);
  Clock::time_point not_before_ LSS_GUARDED_BY(mutex_) = Clock::time_point::min();
  // What this database was called in places that have failed; their logs may still be open.
  std::vector<std::pair<lss::Uuid, std::weak_ptr<SecondPlace>>> earlier_ LSS_GUARDED_BY(mutex_);
};

}  // namespace bloom_lfs
