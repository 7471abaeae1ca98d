// Opens a database whose write-ahead log was never flushed and prints how long DB::Open took: the
// log's records go into a memtable, and nothing else is written.
//
//   open_replay --db=DIRECTORY --records=N [--fs_uri=bloom_lfs]
//
// The log outlives the run (avoid_flush_during_recovery, and a memtable that holds all of it), so
// that the next run finds the same one. Linked to RocksDB alone; a plugin gets in as it gets into
// db_bench: LD_PRELOAD and --fs_uri.

#include <gflags/gflags.h>

#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <memory>
#include <string>

#include "plugin/rocksdb_versions.h"
#include "rocksdb/convenience.h"
#include "rocksdb/db.h"
#include "rocksdb/env.h"
#include "rocksdb/options.h"

DEFINE_string(db, "", "The database");
DEFINE_string(fs_uri, "", "The FileSystem; empty is RocksDB's own");
DEFINE_uint64(records, 0, "How many records the log holds");

namespace {

rocksdb::Options ReplayOptions(rocksdb::Env* env) {
  rocksdb::Options options;
  options.env = env;
  options.compression = rocksdb::kNoCompression;
  options.avoid_flush_during_recovery = true;
  options.write_buffer_size = size_t{1} << 30;
  return options;
}

// A replay that ends early is fast; its time would mean nothing.
rocksdb::Status CheckIsComplete(rocksdb::DB* db) {
  uint64_t entries = 0;
  if (!db->GetIntProperty(rocksdb::DB::Properties::kNumEntriesActiveMemTable, &entries) ||
      entries != FLAGS_records) {
    return rocksdb::Status::Incomplete(
        std::to_string(entries) + " of " + std::to_string(FLAGS_records) + " records were replayed",
        "fill the database within one memtable (--write_buffer_size), without a flush");
  }
  return rocksdb::Status::OK();
}

rocksdb::Status OpenAndReplay(double* seconds) {
  rocksdb::Env* env = nullptr;
  std::shared_ptr<rocksdb::Env> guard;
  rocksdb::Status status =
      rocksdb::Env::CreateFromUri(rocksdb::ConfigOptions(), "", FLAGS_fs_uri, &env, &guard);
  if (!status.ok()) return status;
  std::unique_ptr<rocksdb::DB> db;
  const auto start = std::chrono::steady_clock::now();
  status = rocksdb::DB::Open(ReplayOptions(env), FLAGS_db, bloom_lfs::OpenInto(&db));
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  if (!status.ok()) return status;
  *seconds = elapsed.count();
  status = CheckIsComplete(db.get());
  const rocksdb::Status closed = db->Close();
  return status.ok() ? closed : status;
}

}  // namespace

int main(int argc, char** argv) {
  gflags::SetUsageMessage("open_replay --db=DIRECTORY --records=N [--fs_uri=URI]");
  gflags::ParseCommandLineFlags(&argc, &argv, true);
  double seconds = 0;
  const rocksdb::Status status = OpenAndReplay(&seconds);
  if (!status.ok()) {
    std::fprintf(stderr, "open_replay: %s: %s\n", FLAGS_db.c_str(), status.ToString().c_str());
    return 1;
  }
  std::printf("open_replay: %" PRIu64 " records in %.6f seconds\n",
              static_cast<uint64_t>(FLAGS_records), seconds);
  return 0;
}
