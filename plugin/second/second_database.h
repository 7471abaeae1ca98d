// A database with a second place: the marker, recovery, and the streams of its logs. By the
// directory of its logs, which need not be where its lock is.
//
// Thread safety: every function from any thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "lss/base/mutex.h"
#include "plugin/second/second_marker.h"
#include "plugin/second/second_place.h"
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
  // RocksDB is about to list `directory`. If a database is opened whose logs are there and not
  // where its lock is, the same is done as for that one.
  static lss::Status Listing(const std::string& directory);

  // `file` is the log at `path`, about to be written. If the options ask for a second place, it
  // gets one, and `note_sync` (may be null) is called when it is synced. An error: of a mirror that
  // has to have it; otherwise it goes without.
  static lss::Status Double(const std::string& path, const PluginOptions& options,
                            std::function<void()> note_sync,
                            std::unique_ptr<rocksdb::FSWritableFile>* file);
  // The log at `path` was deleted.
  static void Deleted(const std::string& path);

  explicit SecondDatabase(std::string directory) : directory_(std::move(directory)) {}
  // Removes the marker, if nothing is wanted of the second place.
  ~SecondDatabase();
  SecondDatabase(const SecondDatabase&) = delete;
  SecondDatabase& operator=(const SecondDatabase&) = delete;

 private:
  // Brings to the files what the marker says that they may lack.
  lss::Status Arrive();
  lss::Status Recover();
  // Opens the place, if that was not done, and makes the marker durable.
  lss::Status Begin(const PluginOptions& options) LSS_REQUIRES(mutex_);

  const std::string directory_;
  lss::Mutex mutex_;
  std::shared_ptr<SecondPlace> place_ LSS_GUARDED_BY(mutex_);
  SecondMarker marker_ LSS_GUARDED_BY(mutex_);
  bool begun_ LSS_GUARDED_BY(mutex_) = false;
};

}  // namespace bloom_lfs
