// Opens a database, puts one key and closes it again, `--count` times, and prints how long that
// took: the fixed price of a write-ahead log's life, which db_bench never shows.
//
//   open_put_close --db=DIRECTORY [--fs_uri=bloom_lfs] [--count=200]
//
// Linked to RocksDB alone. A plugin gets in as it gets into db_bench: LD_PRELOAD and --fs_uri.

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "plugin/rocksdb_versions.h"
#include "rocksdb/convenience.h"
#include "rocksdb/db.h"
#include "rocksdb/env.h"
#include "rocksdb/options.h"

namespace {

struct Arguments {
  std::string db;
  std::string fs_uri;
  int count = 200;
};

// Takes the value of "--name=value".
bool TakeFlag(const std::string& argument, const std::string& name, std::string* value) {
  const std::string prefix = "--" + name + "=";
  if (argument.rfind(prefix, 0) != 0) return false;
  *value = argument.substr(prefix.size());
  return true;
}

bool ParseArguments(int argc, char** argv, Arguments* arguments) {
  for (int i = 1; i < argc; ++i) {
    std::string count;
    if (TakeFlag(argv[i], "db", &arguments->db)) continue;
    if (TakeFlag(argv[i], "fs_uri", &arguments->fs_uri)) continue;
    if (!TakeFlag(argv[i], "count", &count)) return false;
    arguments->count = std::atoi(count.c_str());  // NOLINT(cert-err34-c): 0 is refused below
  }
  return !arguments->db.empty() && arguments->count > 0;
}

rocksdb::Status OpenPutClose(const rocksdb::Options& options, const std::string& path, int round) {
  std::unique_ptr<rocksdb::DB> db;
  rocksdb::Status status = rocksdb::DB::Open(options, path, bloom_lfs::OpenInto(&db));
  if (!status.ok()) return status;
  status = db->Put(rocksdb::WriteOptions(), "key" + std::to_string(round), std::string(100, 'v'));
  const rocksdb::Status closed = db->Close();
  return status.ok() ? closed : status;
}

rocksdb::Status RunAllRounds(const Arguments& arguments) {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.compression = rocksdb::kNoCompression;
  std::shared_ptr<rocksdb::Env> guard;
  rocksdb::Status status = rocksdb::Env::CreateFromUri(rocksdb::ConfigOptions(), "",
                                                       arguments.fs_uri, &options.env, &guard);
  for (int round = 0; status.ok() && round < arguments.count; ++round) {
    status = OpenPutClose(options, arguments.db, round);
  }
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  if (!ParseArguments(argc, argv, &arguments)) {
    std::fprintf(stderr, "usage: open_put_close --db=DIRECTORY [--fs_uri=URI] [--count=N]\n");
    return 2;
  }
  const auto start = std::chrono::steady_clock::now();
  const rocksdb::Status status = RunAllRounds(arguments);
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  if (!status.ok()) {
    std::fprintf(stderr, "open_put_close: %s: %s\n", arguments.db.c_str(),
                 status.ToString().c_str());
    return 1;
  }
  std::printf("open_put_close: %d rounds in %.6f seconds\n", arguments.count, elapsed.count());
  return 0;
}
