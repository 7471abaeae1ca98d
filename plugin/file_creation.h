// Creating logs and blob files: on a store, or the stock way where that is better or all there is.
//
// Thread safety: every function from any thread.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "plugin/log_writer_intent.h"
#include "plugin/plugin_options.h"
#include "rocksdb/file_system.h"

namespace bloom_lfs {

// What is to be created, and what it is created with.
struct FileToCreate {
  std::string path;
  rocksdb::FileOptions options;
  std::optional<LogWriterIntent> writer;  // of a log
  rocksdb::FileSystem* target;            // the wrapped one
  const PluginOptions& plugin_options;
};

// Both REQUIRE: the directory has been recovered, and nobody writes a file of that name.

// A log is on a store if it is RocksDB's log writer's (log_writer_intent.h); a copy is stock's.
rocksdb::IOStatus CreateLog(const FileToCreate& file,
                            std::unique_ptr<rocksdb::FSWritableFile>* result,
                            rocksdb::IODebugContext* dbg);
rocksdb::IOStatus CreateBlob(const FileToCreate& file,
                             std::unique_ptr<rocksdb::FSWritableFile>* result,
                             rocksdb::IODebugContext* dbg);

}  // namespace bloom_lfs
