// Opens a database with the plugin: open_database DIRECTORY
#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

int main(int argc, char** argv) {
  const std::string path = argc > 1 ? argv[1] : "database";

  // A name that nobody has registered is an error; otherwise it would give a null Env.
  rocksdb::ConfigOptions config;
  config.ignore_unsupported_options = false;

  rocksdb::Options options;
  options.create_if_missing = true;
  std::shared_ptr<rocksdb::Env> guard;  // must outlive the database
  rocksdb::Status status = rocksdb::Env::CreateFromUri(config, "", "id=bloom_lfs;buffer_bytes=256K",
                                                       &options.env, &guard);

  std::unique_ptr<rocksdb::DB> db;
  if (status.ok()) {
#if ROCKSDB_MAJOR >= 11
    status = rocksdb::DB::Open(options, path, &db);
#else
    rocksdb::DB* opened = nullptr;
    status = rocksdb::DB::Open(options, path, &opened);
    db.reset(opened);
#endif
  }
  if (status.ok()) {
    status = db->Put(rocksdb::WriteOptions(), "key", "value");
  }
  if (!status.ok()) {
    std::fprintf(stderr, "%s: %s\n", path.c_str(), status.ToString().c_str());
    return 1;
  }
  // While a log is live, its ring is beside it.
  const bool at_work = std::filesystem::exists(path + "/.bloom_lfs");
  std::printf("%s: bloom_lfs is %s\n", path.c_str(), at_work ? "at work" : "not in use");
  return at_work ? 0 : 1;
}
